#!/usr/bin/env bash
# Seconds from the start of the process to 99 % on MNIST's test split: configs/fast_cnn.yaml and the same recipe in
# PyTorch (torch_accuracy.py), in turn, five seeds each.
#
#   LOCKSTEP_DATA_PATH=... bash tests/bench/time_to_accuracy.sh [EPOCHS]      default 2: the recipe's
#
# A run that ends below 99 % is shown, and counts as not having got there. Installs PyTorch from Debian if needed.
set -euo pipefail
cd "$(dirname "$0")/../.."
source jobs/mpirun.sh
epochs=${1:-2}
bash jobs/bootstrap.sh
packages=(python3-torch python3-numpy libopenblas0-openmp)
dpkg -s "${packages[@]}" >/dev/null 2>&1 || apt-get install -y --no-install-recommends "${packages[@]}" >/dev/null
{ cmake --preset release && cmake --build --preset release; } >/dev/null
mnist=
IFS=: read -ra folders <<<"${LOCKSTEP_DATA_PATH:-}:data:/usr/share/datasets"
for folder in "${folders[@]}"; do
  [[ -n "$mnist" || ! -d "$folder/mnist" ]] || mnist=$folder/mnist
done
[[ -n "$mnist" ]] || { echo "MNIST is not there: bash data/fetch.sh mnist" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cores=$(physical_cores)
choose_mpirun "$cores" 1
blas=$(dirname "$(ls -d /usr/lib/*/openblas-openmp/libblas.so.3)")

# measure SIDE SEED COMMAND...: the command prints the accuracy in percent as its last line
measure() {
  local side=$1 seed=$2 start accuracy
  shift 2
  start=$(date +%s.%N)
  "$@" >"$work/out" 2>"$work/errors" || { cat "$work/errors"; exit 1; }
  accuracy=$(tail -n 1 "$work/out")
  echo "$side $seed $(date +%s.%N) $start $accuracy" |
    awk '{ printf "%-9s seed %s  %6.2f s  %s %%\n", $1, $2, $3 - $4, $5 }' | tee -a "$work/table"
}

ours() {
  "${mpirun_line[@]}" build/release/lockstep train configs/fast_cnn.yaml "seed=$1" "train.epochs=$epochs" -o "$work/run-$1"
  python3 -c 'import json, sys
accuracy = json.load(open(sys.argv[1]))["test"]["accuracy"]
print(f"{100 * accuracy:.2f}")' \
    "$work/run-$1/summary.json"
}

torch() {
  LD_LIBRARY_PATH=$blas /usr/bin/python3 tests/bench/torch_accuracy.py "$mnist" --epochs "$epochs" --seed "$1" \
    --threads "$cores"
}

for seed in 1 2 3 4 5; do
  measure lockstep "$seed" ours "$seed"
  measure PyTorch "$seed" torch "$seed"
done
awk '{ if ($6 >= 99) reached[$1]++; sum[$1] += $4 }
     END { for (side in sum) printf "%-9s mean %.2f s, %d of 5 at 99 %%\n", side, sum[side] / 5, reached[side]
           printf "ratio %.2f\n", sum["PyTorch"] / sum["lockstep"] }' "$work/table"
