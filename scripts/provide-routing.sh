#!/bin/bash
# Provides Debian's FRR and BIRD for tests, taken out of their packages into a cache: installed,
# they would run as services. The folder of FRR's root is the one line on standard output.
set -euo pipefail

readonly cache=${LBD_CACHE:-$HOME/.cache/lbd}
# All that is fetched is said here.
recipe=$(sha256sum <"$0")
readonly folder=$cache/routing-${recipe:0:12}
# With the libraries that a host with a routing daemon has and others may not.
readonly packages=(frr bird2 libyang2 libcap2 libjson-c5 libc-ares2 libprotobuf-c1 libpcre2-8-0
  librtr0 libsnmp40 libssh-4 libelf1 libreadline8)

mkdir -p "$folder"
exec 9>"$folder/lock"
flock 9
if [ ! -x "$folder/usr/sbin/bird" ]; then
  printf 'fetching the packages frr and bird2\n' >&2
  (
    cd "$folder"
    apt-get -qq download "${packages[@]}" >&2 || {
      apt-get -qq update >&2
      apt-get -qq download "${packages[@]}" >&2
    }
    for package in *.deb; do dpkg-deb --extract "$package" .; done
    rm -f ./*.deb
  )
fi
printf '%s\n' "$folder"
