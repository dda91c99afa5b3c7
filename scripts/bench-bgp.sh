#!/bin/bash
# Measures how soon a router knows 1,000 addresses of three nodes, and that one of the nodes is dead
# (test/bench/bgp.ts). JSON=file writes the rows, RUNS=n sets how often it is done.
set -euo pipefail

readonly root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
[ "$(id -u)" = 0 ] || {
  echo "Cannot run the benches: they need root for network namespaces" >&2
  exit 1
}
scripts/setup.sh
exec node_modules/.bin/node test/bench/bgp.ts
