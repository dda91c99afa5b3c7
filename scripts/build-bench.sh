#!/bin/sh
# Compiles the C programs of the benches into ~/.cache/lbd/bench, when their sources have changed,
# and prints that folder.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
out="${XDG_CACHE_HOME:-$HOME/.cache}/lbd/bench"

command -v gcc >/dev/null || {
  echo "Cannot build the bench programs: 'gcc' is missing; install the package gcc" >&2
  exit 1
}
mkdir -p "$out"
exec 9<"$out"
flock 9

wanted=$(cd "$root" && cat scripts/build-bench.sh test/bench/*.c test/bench/*.h | sha256sum)
if [ "$(cat "$out/inputs.sha256" 2>/dev/null)" != "$wanted" ]; then
  for name in responder arp-load ndp-load; do
    # Into a new file: the old one may be running.
    gcc -std=gnu11 -O2 -Wall -Wextra -Werror -o "$out/$name.new" "$root/test/bench/$name.c"
    mv "$out/$name.new" "$out/$name"
  done
  printf '%s\n' "$wanted" >"$out/inputs.sha256"
fi
echo "$out"
