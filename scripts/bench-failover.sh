#!/bin/bash
# Measures how long nobody answers when an owner fails, beside Debian's keepalived, in the lab
# (test/bench/failover.ts). JSON=file writes the rows, RUNS=n sets how often each fault strikes,
# ROWS=name,name which ones do, CLIENT=warm sends datagrams through the address instead of asking
# for it by ARP.
set -euo pipefail

readonly root=$(cd "$(dirname "$0")/.." && pwd)
PATH=$PATH:/usr/sbin:/sbin
cd "$root"
[ "$(id -u)" = 0 ] || {
  echo "Cannot run the benches: they need root for network namespaces" >&2
  exit 1
}
scripts/setup.sh
# Not run as a service: Debian's unit does nothing without /etc/keepalived/keepalived.conf.
if ! command -v keepalived >/dev/null; then
  echo "bench: installing the Debian package keepalived" >&2
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update </dev/null >&2
  apt-get -qq -y -o Dpkg::Use-Pty=0 install --no-install-recommends keepalived \
    </dev/null >/dev/null
fi
exec node_modules/.bin/node test/bench/failover.ts
