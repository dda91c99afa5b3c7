#!/bin/bash
# The gate before a commit: format, lint, types, the repository's rules and the unit tests. Writes
# nothing; needs neither root nor the control plane. `npm run format` repairs what can be repaired.
set -euo pipefail

readonly root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
scripts/setup.sh --no-control-plane
exec node_modules/.bin/node scripts/test.ts unit repo
