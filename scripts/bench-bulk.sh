#!/bin/bash
# Measures how long it takes until the last of 1,000 VIPs of a dead node is answered for by others
# (test/bench/bulk.ts). JSON=file writes the row, RUNS=n sets how often it is done.
set -euo pipefail

readonly root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
[ "$(id -u)" = 0 ] || {
  echo "Cannot run the benches: they need root for network namespaces" >&2
  exit 1
}
scripts/setup.sh
exec node_modules/.bin/node test/bench/bulk.ts
