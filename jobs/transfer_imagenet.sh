#!/usr/bin/env bash
# What is a network worth that has seen ImageNet, where there are few images of something else? EfficientNet-Lite0 is
# trained on MNIST and on CIFAR-10 with a few samples of each class: as a fixed extractor of features under a new last layer
# (frozen), then with all convolutions trained on (fine-tuned, from the frozen run of the same seed), and from scratch. Mean and standard deviation of the test accuracy
# over seeds, which choose samples, initial weights and order alike for the three.
#
#   bash jobs/transfer_imagenet.sh [DIR]   default runs/transfer_imagenet; what is there already is not run again
#
# SEEDS=5 SIZE=64 SAMPLES="10 100 1000" WAYS="frozen fine-tuned scratch" DATASETS="mnist cifar10" change what is run; table.md
# and runs.csv are of all that is in DIR, whenever it was run. WEIGHTS=build/imagenet says where jobs/imagenet.sh has put, or
# is to put, the weights; LOCKSTEP names the program.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=${1:-runs/transfer_imagenet}
seeds=${SEEDS:-5}
size=${SIZE:-64}
read -ra samples <<<"${SAMPLES:-10 100 1000}"
read -ra ways <<<"${WAYS:-frozen fine-tuned scratch}"
read -ra datasets <<<"${DATASETS:-mnist cifar10}"
source jobs/study.sh
study_program
mkdir -p "$dir"

weights=${WEIGHTS:-build/imagenet}/efficientnet-lite0-57934424.pth
[[ -s $weights ]] || bash jobs/imagenet.sh "${WEIGHTS:-build/imagenet}" >&2
# Running statistics that follow within the few hundred steps that a network from scratch has.
export config=$dir/efficientnet_lite0.yaml
sed 's/momentum: 0.01/momentum: 0.1/' configs/efficientnet_lite0.yaml >"$config"

# From a few trials with 10 samples of each class of CIFAR-10 and seed 1, by accuracy on held-out training samples:
# - frozen: rates from 0.003 to 0.1 differ by less than seeds do, the lowest is ahead; an epoch costs next to nothing.
# - fine-tuned: a new last layer's first gradients ruin what ImageNet has taught (10 %, at any rate), so its training
#   goes on from the frozen run's (Kumar et al., ICLR 2022), with gradients clipped at a norm of 1. Statistics of a few small images
#   are worse than ImageNet's (26 %), so normalization stays as it is. Rate 0.01 gives 46 %, 0.003 44 %.
# - scratch: AdamW at 0.003 gives 15 %, SGD at 0.05 11 %.
epochs_for() { # epochs_for WAY COUNT
  case $1-$2 in
    frozen-1000) echo 20 ;;
    frozen-*) echo 50 ;;
    fine-tuned-10) echo 15 ;;
    fine-tuned-100 | scratch-1000) echo 10 ;;
    fine-tuned-*) echo 5 ;;
    *) echo 20 ;;
  esac
}

of_way() { # of_way DATA WAY COUNT SEED: settings that the ways do not share
  local first
  case $2 in
    frozen) echo "model.init_from=$weights model.freeze=[conv*,bn*,blocks*] train.optimizer.lr=0.003" ;;
    fine-tuned)
      first=$(ls -v "$dir/$1,frozen,$3,$4"/checkpoint-*.h5 | tail -n 1)
      echo "model.init_from=$first model.freeze=[bn*,blocks_*_bn*] train.optimizer.lr=0.01 train.clip_norm=1" ;;
    scratch) echo "'train.optimizer={type: adamw, lr: 0.003}'" ;; # xargs takes the quotes away
  esac
}

# Where a class has fewer, all samples are taken.
declare -A fewest
for data in "${datasets[@]}"; do
  fewest[$data]=$("$LOCKSTEP" data info "$data" | awk '/^class/ {inside = 1; next}
    inside && NF {n = $(NF - 1); if (!least || n < least) least = n} END {print least}')
done

settings() { # settings DATA WAY COUNT SEED
  local part=$3
  ((part <= fewest[$1])) || part=0
  echo "data.source=$1 seed=$4 data.per_class=$part data.shape=auto data.resize=$size data.channels=3 data.picture=auto" \
    "train.epochs=$(epochs_for "$2" "$3") train.batch=32 train.microbatch=16 checkpoint.every_epochs=0" \
    "model.layers.fc.units=10 $(of_way "$@")"
}

one_run() { # one_run RUN_DIR SETTING...
  local run=$1
  if [[ -s $run/summary.json ]]; then return; fi
  rm -rf "$run"
  OMP_NUM_THREADS=1 "$LOCKSTEP" train "$config" -o "$run" "${@:2}" >"$run.log" 2>&1 || { tail -n 5 "$run.log" >&2; return 255; }
}
export -f one_run

for way in "${ways[@]}"; do
  for count in "${samples[@]}"; do
    for ((seed = 1; seed <= seeds; seed++)); do
      for data in "${datasets[@]}"; do
        echo "$dir/$data,$way,$count,$seed $(settings "$data" "$way" "$count" "$seed")"
      done
    done
  done | xargs -L 1 -P "$(nproc)" bash -c 'one_run "$@"' one_run
done

echo "dataset,way,samples_per_class,seed,test_accuracy" >"$dir/runs.csv"
for summary in "$dir"/*,*,*,*/summary.json; do
  run=${summary%/summary.json}
  echo "${run##*/},$(study_test "$run")"
done | sort -t, -k1,2 -k3,3n -k4,4n >>"$dir/runs.csv"

# A cell: the mean of the runs that there are, and of how many, unless they are as many as asked for.
cell() { # cell DATA WAY COUNT
  local values count
  values=$(awk -F, -v key="$1,$2,$3" '$1 "," $2 "," $3 == key {print $5}' "$dir/runs.csv")
  [[ -n $values ]] || { echo -; return; }
  count=$(wc -l <<<"$values")
  study_mean <<<"$values"
  if ((count != seeds)); then echo " ($count)"; fi
}

{
  echo '| data | samples per class | scratch | frozen | fine-tuned |'
  echo '|---|---:|---:|---:|---:|'
  cut -d, -f1,3 "$dir/runs.csv" | tail -n +2 | sort -u -t, -k1,1 -k2,2n | while IFS=, read -r data count; do
    echo "| $data | $count |$(for way in scratch frozen fine-tuned; do echo " $(cell "$data" "$way" "$count") |"; done | paste -sd '')"
  done
} >"$dir/table.md"
cat "$dir/table.md"
echo "written to $dir: table.md, runs.csv"
