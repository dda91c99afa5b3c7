#!/bin/bash
# Provides a small Debian with systemd for the containers of the lab: debootstrap makes it once,
# into a cache. A folder, to be used read-only by any number of containers; it is the one line on
# standard output. What happens is told on standard error. LBD_IMAGE_RELEASE=trixie makes one of
# another release.
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin

readonly release=${LBD_IMAGE_RELEASE:-bookworm}
# Of this machine, which knows where packages are.
host_release=$(. /etc/os-release && echo "$VERSION_CODENAME")
# dbus: real hosts have it. libatomic1: Node needs it.
readonly packages=systemd,systemd-sysv,dbus,libatomic1
readonly heartbeat_seconds=20
readonly started=$SECONDS

say() { printf '%s\n' "$*" >&2; }
fail() {
  say "Cannot provide Debian for the lab: $*"
  exit 1
}

# All that goes into the image is said here, but for the versions of the packages.
recipe=$(sha256sum <"$0")
readonly cache_folder=${LBD_CACHE:-$HOME/.cache/lbd}/debian-$release-${recipe:0:12}
readonly image=$cache_folder/image
if [ -d "$image" ]; then
  echo "$image"
  exit 0
fi

command -v debootstrap >/dev/null || fail "debootstrap is missing; run: apt-get install debootstrap"
[ "$(id -u)" = 0 ] || fail "only root can make it; run with sudo"
umask 022
mkdir -p "$cache_folder"
exec 9>"$cache_folder/lock"
if ! flock --nonblock 9; then
  say "another build of the image is running; waiting for it"
  flock 9
fi
if [ -d "$image" ]; then
  echo "$image"
  exit 0
fi

# Where this machine gets its packages; without a word from it debootstrap knows a place.
mirror() {
  command -v apt-get >/dev/null || return 0
  apt-get indextargets --format '$(SITE)' 'Created-By: Packages' "Release: $host_release" \
    'Component: main' 2>/dev/null | head -n 1
}

# In namespaces of its own: what it starts, and mounts in the image, is gone however it ends.
make_image() {
  exec unshare --mount --pid --fork --kill-child --mount-proc bash -euo pipefail -c '
    folder=$1 log=$2
    shift 2
    debootstrap --variant=minbase "--include=$1" "$2" "$folder" ${3:+"$3"} >"$log" 2>&1
    # Names of the machine it was made on, an identity that would be shared, and downloads. Without
    # any machine-id, each boot would be a first one, which asks questions on the console.
    rm -f "$folder"/etc/{hostname,resolv.conf} "$folder"/var/lib/dbus/machine-id
    : >"$folder"/etc/machine-id
    rm -rf "$folder"/var/cache/apt/archives/*.deb "$folder"/var/lib/apt/lists/*
  ' make-image "$@" 9>&-
}

readonly unfinished=$cache_folder/unfinished
readonly log=$cache_folder/debootstrap.log
rm -rf --one-file-system "$unfinished"
say "making a Debian $release with systemd for the lab: about a minute, once"
make_image "$unfinished" "$log" "$packages" "$release" "$(mirror)" &
readonly pid=$!
# KILL: unshare takes no other signal. Its children die with it.
trap 'kill -KILL "$pid" 2>/dev/null || true' EXIT
beat=$SECONDS
while kill -0 "$pid" 2>/dev/null; do
  sleep 0.2
  if ((SECONDS - beat >= heartbeat_seconds)); then
    beat=$SECONDS
    say "  still at it ($((SECONDS - started)) s so far): $(tail -n 1 "$log" 2>/dev/null)"
  fi
done
trap - EXIT
if ! wait "$pid"; then
  tail -n 15 "$log" >&2 || true
  fail "debootstrap failed, see above; all of it is in $log"
fi
mv -T "$unfinished" "$image"
say "made the image ($((SECONDS - started)) s)"
echo "$image"
