#!/usr/bin/env bash
# Damages sound HDF5 files as h5py writes them, byte by byte, and reads each in every way (sweep_h5.c).
#
#   bash tests/fuzz/sweep.sh [STRIDE [NAME...]]    every STRIDE-th byte (default 1: an hour) of the files NAME (all)
#
# LOCKSTEP, SWEEP: the programs, of build/release by default.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
lockstep=$(realpath "${LOCKSTEP:-build/release/lockstep}")
sweep=$(realpath "${SWEEP:-build/release/tests/sweep_h5}")
seeds=$PWD/tests/fuzz/make_h5_seeds.py
python=/usr/bin/python3 # whose h5py is the distribution's
"$python" -c 'import h5py' 2>/dev/null || { echo "python3-h5py is not installed"; exit 77; }
stride=${1:-1}
names=("${@:2}")
work=$(mktemp -d -p /dev/shm lockstep-sweep-XXXXXX) # in memory: every change writes a file
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
mkdir seeds
"$python" "$seeds" seeds || exit 1
cat >tiny.yaml <<'Y'
name: tiny
data: {source: seeds/packed-latest.h5}
model:
  layers: [{type: conv, filters: 2, kernel: 3}, {type: batchnorm}, {type: flatten}, {type: dense, units: 3}]
train: {epochs: 1, batch: 4, microbatch: 2, optimizer: {type: adam}}
Y
OMP_NUM_THREADS=1 "$lockstep" train tiny.yaml -o run >log 2>&1 || { cat log; exit 1; }
"$python" "$seeds" seeds run/checkpoint-3.h5 || exit 1
failed=0
for file in seeds/*.h5; do
  name=$(basename "$file" .h5)
  [[ ${#names[@]} -eq 0 || " ${names[*]} " == *" $name "* ]] || continue
  "$sweep" "$file" "$stride" || failed=1
done
exit $failed
