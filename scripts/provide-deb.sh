#!/bin/bash
# Provides the Debian package of these sources for tests: built into a cache, once for the same
# inputs. The package's path is the one line on standard output; what happens is told on standard
# error.
set -euo pipefail

readonly root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"

# Whatever of the repository has a part in it.
readonly inputs=(
  src native/src native/binding.gyp packaging/deb systemd/lbd.service docs/man CHANGELOG.md
  scripts/bundle.ts scripts/deb scripts/build-deb.sh scripts/build-native.sh
  package.json package-lock.json
)
key=$(find "${inputs[@]}" -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum)
readonly cache=${LBD_CACHE:-$HOME/.cache/lbd}
readonly folder=$cache/deb-${key:0:12}

mkdir -p "$folder"
exec 9>"$folder/lock"
flock 9
if ! compgen -G "$folder/*.deb" >/dev/null; then
  printf 'building the Debian package: half a minute or more\n' >&2
  scripts/build-deb.sh "$folder" >&2 9<&-
  # Those of other days: each change of the sources leaves one.
  find "$cache" -maxdepth 1 -name 'deb-*' -mtime +1 ! -path "$folder" -exec rm -rf {} +
fi
compgen -G "$folder/*.deb"
