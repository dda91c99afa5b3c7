#!/bin/bash
# Three bundled daemons for MINUTES in the lab, while what happens in life happens to them
# (test/bench/soak.ts). SEED=n chooses what happens, JSON=file writes the rows.
set -euo pipefail

readonly root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
[ "$(id -u)" = 0 ] || {
  echo "Cannot run the soak: it needs root for network namespaces" >&2
  exit 1
}
scripts/setup.sh
exec node_modules/.bin/node test/bench/soak.ts
