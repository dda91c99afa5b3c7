#!/bin/bash
# Provides etcd, kube-apiserver, kube-proxy and kubectl for the lab: builds them once from the Go
# module test/lab/kubernetes into a cache. Those in the folder that KUBEBUILDER_ASSETS names are
# taken from there (envtest's have no kube-proxy), and only the others are built. The folder with
# all of them is the one line on standard output; what happens is told on standard error.
set -euo pipefail
PATH=$PATH:/usr/local/go/bin

readonly module_folder=$(cd "$(dirname "$0")/../test/lab/kubernetes" && pwd)
readonly binaries=(etcd kube-apiserver kube-proxy kubectl)
readonly heartbeat_seconds=20
# The first one that reads "toolchain" in go.mod, and fetches the Go that the module asks for.
readonly go_minor_min=21
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

# The folder where a binary is or will be; needs $assets and $folder.
home_of() {
  if [ -n "$assets" ] && [ -x "$assets/$1" ]; then echo "$assets"; else echo "$folder"; fi
}

list_missing() {
  local name
  for name in "${binaries[@]}"; do [ -x "$(home_of "$name")/$name" ] || printf '%s ' "$name"; done
}

# One that cannot be recognised is left to speak for itself.
check_go() {
  local hint="Go 1.$go_minor_min or newer is needed: from https://go.dev/dl, or on Debian 12 from \
bookworm-backports (apt-get install -t bookworm-backports golang-go)"
  command -v go >/dev/null || fail "go is not installed. $hint"
  local version
  version=$(GOTOOLCHAIN=local go version 2>/dev/null || true)
  [[ $version =~ go1\.([0-9]+) ]] || return 0
  ((BASH_REMATCH[1] >= go_minor_min)) || fail "'$(command -v go)' is $version. $hint"
}

# A link is exchanged in one step: another lab may be starting a program through it.
link() {
  [ "$(readlink "$2" || true)" = "$1" ] && return 0
  ln -s "$1" "$2.$$"
  mv -T "$2.$$" "$2"
}

# Prints the folder that has all of them; one of links, when they are in two.
print_folder() {
  local name homes links
  homes=$(for name in "${binaries[@]}"; do home_of "$name"; done | sort -u)
  if [ "$(wc -l <<<"$homes")" = 1 ]; then
    echo "$homes"
    return
  fi
  links=$cache_folder/links-$(printf '%s' "$assets" | sha256sum | cut -c1-12)
  mkdir -p "$links"
  for name in "${binaries[@]}"; do link "$(home_of "$name")/$name" "$links/$name"; done
  echo "$links"
}

# Sets $assets; a folder without any of them is a mistake that would cost minutes of building.
find_assets() {
  local named=${KUBEBUILDER_ASSETS:-} name
  assets=
  [ -n "$named" ] || return 0
  local mend="correct it, or unset it to have all of them built"
  [ -d "$named" ] || fail "KUBEBUILDER_ASSETS is '$named', and there is no such folder; $mend"
  assets=$(cd "$named" && pwd)
  for name in "${binaries[@]}"; do [ ! -x "$assets/$name" ] || return 0; done
  fail "KUBEBUILDER_ASSETS is '$named', where none of ${binaries[*]} is; $mend"
}

version=$(version_of k8s.io/kubernetes)
[ -n "$version" ] || fail "no version of k8s.io/kubernetes in $module_folder/go.mod"
readonly cache_folder=${LBD_CACHE:-$HOME/.cache/lbd}/kubernetes-$version
readonly folder=$cache_folder/bin
find_assets
readonly assets
if [ -z "$(list_missing)" ]; then
  print_folder
  exit 0
fi

check_go
mkdir -p "$folder"
exec 9>"$cache_folder/lock"
if ! flock --nonblock 9; then
  say "another build of Kubernetes $version is running; waiting for it"
  flock 9
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
  # Debian's Go is set not to fetch another version, which the module may need.
  (cd "$module_folder" && export CGO_ENABLED=0 GOTOOLCHAIN="${GOTOOLCHAIN:-auto}" &&
    exec go build -trimpath -ldflags "$flags" \
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

read -r -a missing <<<"$(list_missing)"
if [ "${#missing[@]}" -gt 0 ]; then
  say "building ${missing[*]} for the lab (Kubernetes $version, etcd" \
    "$(version_of go.etcd.io/etcd/server/v3)): about 12 minutes for all four on two cores, once"
fi
number=0
for name in "${missing[@]}"; do
  number=$((number + 1))
  say "building $name ($number of ${#missing[@]}, $(elapsed))"
  build "$name"
  say "built $name ($(elapsed))"
done
print_folder
