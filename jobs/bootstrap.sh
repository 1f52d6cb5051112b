#!/usr/bin/env bash
# Installs what lockstep needs on Debian 12, with apt. Idempotent: does nothing when all is there.
#
#   bash jobs/bootstrap.sh            to build and run
#   bash jobs/bootstrap.sh --tests    also what the tests use
#   bash jobs/bootstrap.sh --cluster  what the tests of Slurm jobs use: they are skipped without it
set -euo pipefail

build=(gcc libc6-dev cmake ninja-build pkg-config
       openmpi-bin libopenmpi-dev libhdf5-dev libxsmm-dev libyaml-dev librandom123-dev libxxhash-dev
       zlib1g-dev libpng-dev libjansson-dev gnuplot-nox
       curl ca-certificates dataset-fashion-mnist)
tests=(libcmocka-dev clang libclang-rt-14-dev clang-format libomp-dev libopenblas-pthread-dev valgrind python3 python3-h5py
       hdf5-tools locales)

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
echo "bootstrap: installing ${missing[*]}"
apt=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0)
"${apt[@]}" update
"${apt[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null
echo "bootstrap: installed ${#missing[@]} packages"
