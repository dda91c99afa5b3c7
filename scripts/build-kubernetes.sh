#!/bin/bash
# Provides etcd, kube-apiserver, kube-proxy and kubectl for the lab: builds them once from the Go
# module test/lab/kubernetes into a cache, or takes the folder that KUBEBUILDER_ASSETS names. The
# folder is the one line on standard output; what happens is told on standard error.
set -euo pipefail

readonly module_folder=$(cd "$(dirname "$0")/../test/lab/kubernetes" && pwd)
readonly binaries=(etcd kube-apiserver kube-proxy kubectl)
readonly heartbeat_seconds=20
readonly started=$SECONDS

say() { printf '%s\n' "$*" >&2; }
fail() { say "Cannot provide Kubernetes for the lab: $*"; exit 1; }
elapsed() { printf '%d:%02d min' $(((SECONDS - started) / 60)) $(((SECONDS - started) % 60)); }

version_of() {
  awk -v module="$1" '$1 == module && $2 ~ /^v/ { print $2; exit }' "$module_folder/go.mod"
}

package_of() {
  case "$1" in
    etcd) echo go.etcd.io/etcd/server/v3 ;;
    *) echo "k8s.io/kubernetes/cmd/$1" ;;
  esac
}

missing_in() {
  local name
  for name in "${binaries[@]}"; do [ -x "$1/$name" ] || printf '%s ' "$name"; done
}

if [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
  missing=$(missing_in "$KUBEBUILDER_ASSETS")
  [ -z "$missing" ] || fail \
    "KUBEBUILDER_ASSETS is '$KUBEBUILDER_ASSETS', where these are missing: ${missing% }"
  echo "$KUBEBUILDER_ASSETS"
  exit 0
fi

version=$(version_of k8s.io/kubernetes)
[ -n "$version" ] || fail "no version of k8s.io/kubernetes in $module_folder/go.mod"
readonly cache_folder=${LBD_CACHE:-$HOME/.cache/lbd}/kubernetes-$version
readonly folder=$cache_folder/bin
if [ -z "$(missing_in "$folder")" ]; then
  echo "$folder"
  exit 0
fi

command -v go >/dev/null || fail "go is not installed: see https://go.dev/dl"
mkdir -p "$folder"
exec 9>"$cache_folder/lock"
if ! flock --nonblock 9; then
  say "another build of Kubernetes $version is running; waiting for it"
  flock 9
fi
if [ -z "$(missing_in "$folder")" ]; then
  echo "$folder"
  exit 0
fi

# The version is set the way Kubernetes' own build does; clients and kubectl show it.
IFS=. read -r major minor _ <<<"${version#v}"
readonly component=k8s.io/component-base/version
readonly flags="-s -w -X $component.gitVersion=$version -X $component.gitMajor=$major \
-X $component.gitMinor=$minor -X $component.gitTreeState=clean \
-X k8s.io/client-go/pkg/version.gitVersion=$version"

build() {
  local name=$1 unfinished=$folder/.$1.$$ pid=
  trap 'rm -f "$unfinished"; [ -z "$pid" ] || kill "$pid" 2>/dev/null || true' EXIT
  (cd "$module_folder" && CGO_ENABLED=0 exec go build -trimpath -ldflags "$flags" \
    -o "$unfinished" "$(package_of "$name")") >&2 9>&- &
  pid=$!
  local beat=$SECONDS
  while kill -0 "$pid" 2>/dev/null; do
    sleep 1
    if ((SECONDS - beat >= heartbeat_seconds)); then
      beat=$SECONDS
      say "  still building $name ($(elapsed) so far)"
    fi
  done
  wait "$pid" || fail "go build of $name ended with status $?"
  pid=
  mv "$unfinished" "$folder/$name"
  trap - EXIT
}

say "building Kubernetes $version and etcd $(version_of go.etcd.io/etcd/server/v3) for the lab:" \
  "about 12 minutes on two cores, only once"
number=0
for name in "${binaries[@]}"; do
  number=$((number + 1))
  [ -x "$folder/$name" ] && continue
  say "building $name ($number of ${#binaries[@]}, $(elapsed))"
  build "$name"
  say "built $name ($(elapsed))"
done
echo "$folder"
