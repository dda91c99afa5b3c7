#!/bin/bash
# Measures lbd against the kernel's own responder and a C program, in the lab (test/bench/main.ts).
# JSON=file writes the rows, RUNS=n sets the number of rounds; ONLY=arp, ndp, daemon or links
# measures a part.
set -euo pipefail

readonly root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
[ "$(id -u)" = 0 ] || {
  echo "Cannot run the benches: they need root for network namespaces" >&2
  exit 1
}
case "${ONLY:-}" in
  arp | ndp) scripts/setup.sh --no-control-plane ;;
  *) scripts/setup.sh ;;
esac
exec node_modules/.bin/node test/bench/main.ts
