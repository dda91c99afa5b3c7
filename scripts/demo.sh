#!/bin/bash
# Shows the main job on real input: three nodes, a client, a real Kubernetes control plane, and a
# Service that gets an address that answers. KEEP=1 leaves it running to play with.
set -euo pipefail

readonly root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
if [ "$(id -u)" != 0 ]; then
  echo "Cannot run the demo: it makes network namespaces, run it as root" >&2
  exit 1
fi
scripts/setup.sh
exec node_modules/.bin/node scripts/demo.ts
