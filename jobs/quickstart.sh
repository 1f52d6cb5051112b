#!/usr/bin/env bash
# From nothing to a trained network on Debian 12: installs, builds, trains LeNet-5 on Fashion-MNIST with two
# MPI ranks, prints the results and leaves a run directory.
#
#   bash jobs/quickstart.sh [key.path=value ...]      such as train.epochs=2
set -euo pipefail
cd "$(dirname "$0")/.."

bash jobs/bootstrap.sh
cmake --preset release -DLS_TESTS=OFF -B build/quickstart >/dev/null
cmake --build build/quickstart

source jobs/mpirun.sh
choose_mpirun 2 4
line=("${mpirun_line[@]}" build/quickstart/lockstep train configs/lenet5.yaml data.source=fashion-mnist
      name=quickstart "$@")
echo
echo "\$ ${line[*]}"
exec "${line[@]}"
