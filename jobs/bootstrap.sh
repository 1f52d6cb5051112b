#!/usr/bin/env bash
# Installs what lockstep needs on Debian 12, with apt. Idempotent: does nothing when all is there.
#
#   bash jobs/bootstrap.sh            to build and run
#   bash jobs/bootstrap.sh --tests    also what the tests use
#   bash jobs/bootstrap.sh --cluster  what the tests of Slurm jobs use: they are skipped without it
set -euo pipefail

# libxsmm makes code for x86-64 alone; elsewhere OpenBLAS multiplies.
products=libxsmm-dev
[[ "$(dpkg --print-architecture)" == amd64 ]] || products=libopenblas-pthread-dev
build=(gcc libc6-dev cmake ninja-build pkg-config
       openmpi-bin libopenmpi-dev libhdf5-dev "$products" libyaml-dev librandom123-dev libxxhash-dev
       zlib1g-dev libpng-dev libjansson-dev libzip-dev gnuplot-nox
       libprotobuf-c-dev protobuf-c-compiler protobuf-compiler libonnx-dev
       curl ca-certificates dataset-fashion-mnist)
tests=(libcmocka-dev clang libclang-rt-dev clang-format libomp-dev libopenblas-pthread-dev valgrind python3 python3-h5py
       hdf5-tools locales qemu-user similarity-tester)

cluster=(slurmctld slurmd slurm-client munge iproute2)

packages=("${build[@]}")
if [[ "${1:-}" == --tests ]]; then
  packages+=("${tests[@]}")
elif [[ "${1:-}" == --cluster ]]; then
  packages=("${cluster[@]}")
elif [[ $# -gt 0 ]]; then
  echo "usage: bash jobs/bootstrap.sh [--tests | --cluster]" >&2
  exit 2
fi

missing=()
for package in "${packages[@]}"; do
  [[ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null)" == ii* ]] || missing+=("$package")
done
if [[ ${#missing[@]} -eq 0 ]]; then
  echo "bootstrap: all ${#packages[@]} packages are installed"
  exit 0
fi

root=()
if [[ $EUID -ne 0 ]]; then
  command -v sudo >/dev/null || { echo "bootstrap: run this as root, or install sudo: apt must install ${missing[*]}" >&2; exit 1; }
  root=(sudo)
fi

# apt_get ARG...: with its errors shown; while another process has apt's locks, it is waited for.
apt_get() {
  local errors tries
  for ((tries = 0; tries < 300; tries++)); do
    if errors=$("${root[@]}" env LC_ALL=C DEBIAN_FRONTEND=noninteractive \
      apt-get -qq -o Dpkg::Use-Pty=0 "$@" 2>&1 >/dev/null); then return 0; fi
    grep -qE 'Could not get lock|Unable to (lock|acquire)|locked by another process' <<<"$errors" || break
    [[ $tries -gt 0 ]] || echo "bootstrap: another process uses apt: waiting for it, up to 10 minutes"
    sleep 2
  done
  echo "$errors" >&2
  return 1
}

# Packages of services start and enable them. The tests start what they need by themselves: so nothing is started, and
# what was not enabled before is disabled, which later upgrades respect.
enabled_services() {
  find /etc/systemd/system /etc/rc[2-5].d -path '*.wants/*' -o -name 'S[0-9][0-9]*' 2>/dev/null | sort
}

forbid_starts() {
  local policy=/usr/sbin/policy-rc.d
  [[ ! -e $policy ]] || return 0
  printf '#!/bin/sh\nexit 101\n' | "${root[@]}" install -m 755 /dev/stdin "$policy"
  # shellcheck disable=SC2064
  trap "$(printf '%q ' "${root[@]}" rm -f "$policy")" EXIT
}

disable_new_services() { # disable_new_services BEFORE
  local link name
  comm -13 <(echo "$1") <(enabled_services) | while read -r link; do
    name=${link##*/S[0-9][0-9]}
    if [[ $link == *.wants/* ]]; then
      "${root[@]}" rm -f "$link"
    elif [[ -e $link ]]; then # the first of its levels: the others go with it
      "${root[@]}" /usr/sbin/update-rc.d "$name" disable
    fi
  done
}

echo "bootstrap: installing ${missing[*]}"
apt_get update
before=$(enabled_services)
if [[ "${1:-}" == --cluster ]]; then forbid_starts; fi
apt_get install -y --no-install-recommends "${missing[@]}"
if [[ "${1:-}" == --cluster ]]; then disable_new_services "$before"; fi
echo "bootstrap: installed ${#missing[@]} packages"
