# SPDX-License-Identifier: Apache-2.0
#
# Shared by scripts/quickstart and scripts/test: saying what happens, and making a plain
# Debian 12 able to build. Sourced by bash; defines functions, does nothing by itself.

BUILD_PACKAGES=(build-essential ca-certificates cmake curl ninja-build pkg-config libcurl4-openssl-dev libgnutls28-dev libjansson-dev
  libluajit-5.1-dev libmicrohttpd-dev libpcre2-dev librdkafka-dev libssl-dev libunistring-dev
  libcmocka-dev) # the same CMake project builds the C tests

TEST_PACKAGES=(clang libclang-rt-14-dev kcat lua-busted lua-check lua-dkjson maven openjdk-17-jre-headless openssl)

say() { printf '\n== %s\n' "$*"; }

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "needs root or sudo for: $*"
  fi
}

# Installs what is missing of the packages named; does not touch apt when nothing is.
install_packages() {
  local package missing=()
  command -v apt-get >/dev/null || die "apt-get not found: this script sets up Debian 12; elsewhere install: $*"
  for package in "$@"; do
    dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q ' installed$' || missing+=("$package")
  done
  if [ ${#missing[@]} = 0 ]; then
    say "packages: all ${#} are installed"
    return
  fi
  say "packages: installing ${missing[*]} and what they need"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q update || die "apt-get update failed"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "${missing[@]}" ||
    die "apt-get install failed"
}

# promtool reads what GET /metrics writes. Its package starts a server where it is installed; the tool alone
# is taken out of it, into build/tools.
fetch_promtool() {
  command -v promtool >/dev/null && return
  say "promtool: taken out of the package prometheus"
  mkdir -p build/tools && (cd build/tools && apt-get -q download prometheus && dpkg -x prometheus_*.deb . &&
    rm -f prometheus_*.deb) || die "cannot fetch promtool"
}

# Configures and builds build/NAME; NAME is a preset, or what its arguments make of asan's.
build_preset() { # name [cmake arguments]
  local name=$1
  shift
  if [ $# = 0 ]; then cmake --preset "$name"; else cmake --preset asan -B "build/$name" "$@"; fi &&
    cmake --build "build/$name"
}

# A TCP port of 127.0.0.1 where nobody listens, and the next one free as well.
free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 12000))
    port_is_free $port && port_is_free $((port + 1)) && break
  done
  echo $port
}

port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
