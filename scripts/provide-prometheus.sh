#!/bin/bash
# Provides Debian's prometheus and promtool for tests, taken out of their package into a cache:
# installed, it would run as a service. The folder's path is the one line on standard output.
set -euo pipefail

readonly cache=${LBD_CACHE:-$HOME/.cache/lbd}
readonly folder=$cache/prometheus

mkdir -p "$folder"
exec 9>"$folder/lock"
flock 9
if [ ! -x "$folder/usr/bin/promtool" ]; then
  printf 'fetching the package prometheus\n' >&2
  (
    cd "$folder"
    apt-get -qq download prometheus >&2 || {
      apt-get -qq update >&2
      apt-get -qq download prometheus >&2
    }
    dpkg-deb --extract prometheus_*.deb .
    rm -f prometheus_*.deb
  )
fi
printf '%s\n' "$folder/usr/bin"
