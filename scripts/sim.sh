#!/bin/bash
# The simulator for long: HOURS virtual cluster-hours from SEED on (scripts/sim.ts).
set -euo pipefail

readonly root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
scripts/setup.sh --no-control-plane
exec node_modules/.bin/node scripts/sim.ts --hours "${HOURS:-10}" --seed "${SEED:-1}"
