#!/bin/bash
# Sets up what is missing, then runs the test suites named (all: none named), see scripts/test.ts.
# The control plane, and the image of containers, are built only when their suites are due.
set -euo pipefail

readonly root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
scripts/setup.sh --no-control-plane
exec node_modules/.bin/node scripts/test.ts "$@"
