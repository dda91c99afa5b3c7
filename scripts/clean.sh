#!/bin/bash
# Removes what was built in this folder and what dead labs have left on this machine. With `all`,
# npm packages and the cached control plane and image too.
set -euo pipefail

readonly root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
if [ "$(id -u)" = 0 ] && [ -x node_modules/.bin/node ] && [ -e test/lab/sweep.ts ]; then
  node_modules/.bin/node test/lab/sweep.ts
fi
rm -rf native/build dist node_modules/.cache
if [ "${1:-}" = all ]; then rm -rf node_modules "${LBD_CACHE:-$HOME/.cache/lbd}"; fi
