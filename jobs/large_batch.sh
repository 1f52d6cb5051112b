#!/usr/bin/env bash
# How large may the batch be? LeNet-5 on MNIST at batch 256 and its multiples, at equal epochs: learning rate scaled with
# the batch, linearly and by the square root, and LARS, each with a warm-up. Mean and standard deviation of the test
# accuracy over seeds. Writes table.md and runs.csv.
#
#   bash jobs/large_batch.sh [DIR]       default runs/large_batch; what is there already is not run again
#
# SEEDS=3 BATCHES="256 1024 2048 4096" EPOCHS="10 20" SOURCE=mnist change the size; LOCKSTEP names the program.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=${1:-runs/large_batch}
seeds=${SEEDS:-3}
read -ra batches <<<"${BATCHES:-256 1024 2048 4096}"
read -ra lengths <<<"${EPOCHS:-10 20}"
export SOURCE=${SOURCE:-mnist}
source jobs/study.sh
study_program
mkdir -p "$dir"

# Rates that meet at 2048; four epochs of warm-up, and gradients clipped, without which the rates of large batches end in
# a network that says the same of every image.
ways=(linear sqrt lars)
settings() { # settings WAY
  echo train.lr_base_batch=256
  echo 'train.schedule={type: cosine, warmup_epochs: 4}'
  case $1 in
    linear) printf '%s\n' train.optimizer.lr=0.05 train.clip_norm=0.5 ;;
    sqrt) printf '%s\n' train.optimizer.lr=0.14 train.clip_norm=0.5 train.lr_scaling=sqrt ;;
    lars) printf '%s\n' 'train.optimizer={type: lars, lr: 2.8, momentum: 0.9, weight_decay: 0.0005, trust: 0.001}' \
      train.lr_scaling=sqrt ;;
  esac
}

one_run() { # one_run WAY BATCH EPOCHS SEED DIR
  local run=$5/$1-$2-$3-$4 given
  if [[ -s $run/summary.json ]]; then return; fi
  rm -rf "$run"
  mapfile -t given < <(settings "$1")
  OMP_NUM_THREADS=1 "$LOCKSTEP" train configs/lenet5.yaml "data.source=$SOURCE" -o "$run" "seed=$4" "train.batch=$2" \
    "train.epochs=$3" checkpoint.every_epochs=0 "${given[@]}" >"$run.log" 2>&1 ||
    { tail -n 5 "$run.log" >&2; return 255; }
}
export -f one_run settings

for epochs in "${lengths[@]}"; do
  for batch in "${batches[@]}"; do
    for ((seed = 1; seed <= seeds; seed++)); do
      for way in "${ways[@]}"; do echo "$way $batch $epochs $seed $dir"; done
    done
  done
done | xargs -L 1 -P "$(nproc)" bash -c 'one_run "$@"' one_run

echo "way,batch,epochs,seed,test_accuracy" >"$dir/runs.csv"
row() { # row BATCH EPOCHS
  local figures row="| $1 | $2 |"
  for way in "${ways[@]}"; do
    figures=$(for ((seed = 1; seed <= seeds; seed++)); do study_test "$dir/$way-$1-$2-$seed"; done)
    nl -s, -w1 <<<"$figures" | sed "s/^/$way,$1,$2,/" >>"$dir/runs.csv"
    row+=" $(study_mean <<<"$figures") |"
  done
  echo "$row"
}
{
  echo "| batch | epochs |$(printf ' %s |' "${ways[@]}")"
  echo "|---:|---:|---:|---:|---:|"
  for epochs in "${lengths[@]}"; do
    for batch in "${batches[@]}"; do row "$batch" "$epochs"; done
  done
} >"$dir/table.md"
cat "$dir/table.md"
echo "written to $dir: table.md, runs.csv"
