#!/usr/bin/env bash
# Does it help a digit reader to have seen clothes? LeNet-5 is trained on Fashion-MNIST, then on a few MNIST digits of
# each class: from scratch, with the convolutions of the first network frozen, and with all of it trained on. Mean and
# standard deviation of the test accuracy over seeds, which choose digits, initial weights and order alike for the
# three. Writes table.md, runs.csv, and transfer.png where gnuplot is.
#
#   bash jobs/transfer.sh [DIR]        default runs/transfer; what is there already is not run again
#
# SEEDS=5 SAMPLES="10 100 1000" PRETRAIN_EPOCHS=10 change the size; LOCKSTEP names the program.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=${1:-runs/transfer}
seeds=${SEEDS:-5}
read -ra samples <<<"${SAMPLES:-10 100 1000}"
source jobs/study.sh
study_program
mkdir -p "$dir"

# The same for all: a thousand steps or more of small batches.
epochs_for() {
  local epochs=$((2000 / $1))
  ((epochs >= 5)) || epochs=5
  ((epochs <= 100)) || epochs=100
  echo "$epochs"
}

ways=(scratch frozen fine-tuned)
first=$dir/fashion
if [[ ! -s $first/summary.json ]]; then
  rm -rf "$first"
  "$LOCKSTEP" train configs/lenet5.yaml -o "$first" data.source=fashion-mnist "train.epochs=${PRETRAIN_EPOCHS:-10}"
fi
weights=$(ls -v "$first"/checkpoint-*.h5 | tail -n 1)

# The last layer has another name, so that it starts anew: its classes mean something else.
settings() { # settings WAY COUNT SEED
  echo "seed=$3 data.per_class=$2 train.epochs=$(epochs_for "$2") train.batch=20 train.microbatch=10" \
    "train.optimizer.lr=0.01 train.clip_norm=0 checkpoint.every_epochs=0 model.layers.fc3.name=digits"
  if [[ $1 != scratch ]]; then echo "model.init_from=$weights"; fi
  if [[ $1 == frozen ]]; then echo 'model.freeze=[conv1,conv2]'; fi
}

one_run() { # one_run WAY COUNT SEED RUN_DIR SETTING...
  local run=$4
  if [[ -s $run/summary.json ]]; then return; fi
  rm -rf "$run"
  OMP_NUM_THREADS=1 "$LOCKSTEP" train configs/lenet5.yaml data.source=mnist -o "$run" "${@:5}" >"$run.log" 2>&1 ||
    { tail -n 5 "$run.log" >&2; return 255; }
}
export -f one_run

for count in "${samples[@]}"; do
  for ((seed = 1; seed <= seeds; seed++)); do
    for way in "${ways[@]}"; do
      echo "$way $count $seed $dir/$way-$count-$seed $(settings "$way" "$count" "$seed" | paste -sd ' ')"
    done
  done
done | xargs -L 1 -P "$(nproc)" bash -c 'one_run "$@"' one_run

echo "way,samples_per_class,seed,test_accuracy" >"$dir/runs.csv"
for way in "${ways[@]}"; do
  for count in "${samples[@]}"; do
    for ((seed = 1; seed <= seeds; seed++)); do
      echo "$way,$count,$seed,$(study_test "$dir/$way-$count-$seed")" >>"$dir/runs.csv"
    done
  done
done

# way samples mean deviation, in per cent
awk -F, 'NR > 1 {
    key = $1 " " $2
    if (!(key in n)) order[++keys] = key
    n[key]++; sum[key] += $4; squares[key] += $4 * $4
  }
  END {
    for (i = 1; i <= keys; i++) {
      k = order[i]; mean = sum[k] / n[k]
      spread = n[k] > 1 ? (squares[k] - n[k] * mean * mean) / (n[k] - 1) : 0
      printf "%s %.4f %.4f\n", k, mean, sqrt(spread > 0 ? spread : 0)
    }
  }' "$dir/runs.csv" >"$dir/means.txt"

{
  echo "| samples per class |$(printf ' %s |' "${ways[@]}")"
  echo "|---:|---:|---:|---:|"
  for count in "${samples[@]}"; do
    awk -v count="$count" '$2 == count {row = row sprintf(" %.2f ± %.2f |", $3, $4)}
      END {print "| " count " |" row}' "$dir/means.txt"
  done
} >"$dir/table.md"
cat "$dir/table.md"

if command -v gnuplot >/dev/null; then
  gnuplot <<G
set terminal pngcairo size 800,500
set output "$dir/transfer.png"
set logscale x
set offsets graph 0.03, graph 0.03, graph 0, graph 0
set xlabel "MNIST samples per class"
set ylabel "test accuracy, %"
set key bottom right
set grid
plot for [way in "${ways[*]}"] "< grep '^" . way . " ' $dir/means.txt" using 2:3:4 with yerrorlines lw 2 title way
G
else
  echo "transfer: no gnuplot, so no figure (apt-get install gnuplot-nox)"
fi
echo "written to $dir: table.md, runs.csv"
