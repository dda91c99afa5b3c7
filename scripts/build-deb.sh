#!/bin/bash
# Builds the Debian package into dist/deb, or the folder that is named, with its bill of materials
# beside it, and prints its size and how fast it starts. The same sources give the same bytes.
set -euo pipefail

readonly root=$(cd "$(dirname "$0")/.." && pwd)
out=${1:-$root/dist/deb}
readonly node=$root/node_modules/.bin/node

fail() {
  printf 'Cannot build the package: %s\n' "$*" >&2
  exit 1
}

"$root/scripts/setup.sh" --no-control-plane
mkdir -p "$out"
out=$(cd "$out" && pwd)

# What the machine could leave its mark by.
umask 022
export LC_ALL=C.UTF-8 TZ=UTC DEB_BUILD_OPTIONS=nocheck
SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -l "$root/packaging/deb/debian/changelog" -S Timestamp)
export SOURCE_DATE_EPOCH

folder=$(mktemp -d "${TMPDIR:-/tmp}/lbd-deb-XXXXXX")
trap 'rm -rf "$folder"' EXIT
version=$(dpkg-parsechangelog -l "$root/packaging/deb/debian/changelog" -S Version)
architecture=$(dpkg --print-architecture)
readonly name=lbd_${version}_$architecture
readonly tree=$folder/lbd-$version
readonly log=$folder/build.log

"$node" "$root/scripts/deb/stage.ts" "$tree"
if ! (cd "$tree" && dpkg-buildpackage --build=binary --no-sign) >"$log" 2>&1; then
  cat "$log" >&2
  fail "dpkg-buildpackage failed, see above"
fi
[ -e "$folder/$name.deb" ] || fail "dpkg-buildpackage made no $name.deb"
grep -E '^dpkg-shlibdeps: (warning|error)' "$log" >&2 || true

# A reader of the folder sees the old package or the new one, never half of one.
cp "$tree/lbd.cdx.json" "$folder/$name.cdx.json"
for file in "$name".{buildinfo,changes,cdx.json,deb}; do
  cp "$folder/$file" "$out/.$file.new"
  mv "$out/.$file.new" "$out/$file"
done

printf 'built %s\n' "$out/$name.deb"
printf '  %s kB to download, %s kB installed\n' \
  "$(($(stat -c %s "$out/$name.deb") / 1000))" "$(dpkg-deb -f "$out/$name.deb" Installed-Size)"
"$node" "$root/scripts/deb/cold-start.ts" "$tree/debian/lbd/usr/lib/lbd"
