#!/bin/bash
# Measures lbd against the kernel's own responder and a C program, in the lab (test/bench/main.ts).
# JSON=file writes the rows, RUNS=n sets the number of rounds, ONLY=arp|daemon measures half.
set -euo pipefail

readonly root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
[ "$(id -u)" = 0 ] || {
  echo "Cannot run the benches: they need root for network namespaces" >&2
  exit 1
}
if [ "${ONLY:-}" = arp ]; then
  scripts/setup.sh --no-control-plane
else
  scripts/setup.sh
fi
exec node_modules/.bin/node test/bench/main.ts
