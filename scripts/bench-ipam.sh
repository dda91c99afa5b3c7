#!/bin/bash
# Measures what 10,000 Services take: their first allocation, a restart with all of them, one more,
# and what the daemons use when nothing happens (test/bench/ipam.ts). JSON=file writes the rows,
# SERVICES=n makes it smaller, RUNS=n sets how many Services are created one by one, and
# ROWS=name,name which rows are measured.
set -euo pipefail

readonly root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
[ "$(id -u)" = 0 ] || {
  echo "Cannot run the benches: they need root for network namespaces" >&2
  exit 1
}
scripts/setup.sh
exec node_modules/.bin/node test/bench/ipam.ts
