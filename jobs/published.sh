#!/usr/bin/env bash
# The table of configs/README.md: each published configuration over some seeds, test accuracy of the last epoch as mean and
# standard deviation, and the minutes that a training takes here. Writes table.md and runs.csv.
#
#   bash jobs/published.sh [DIR [CONFIG...]]      default runs/published, all of them; what is there already is not run again
#
# SEEDS=3; PARALLEL=2 trainings side by side, each with an equal share of the cores; LOCKSTEP names the program. All of them take
# half a day on two cores; on a cluster: sbatch --export=ALL,CONFIG=configs/NAME.yaml jobs/train.sbatch seed=1
set -euo pipefail
cd "$(dirname "$0")/.."
dir=${1:-runs/published}
seeds=${SEEDS:-3}
source jobs/study.sh
study_program
configs=("${@:2}")
[[ ${#configs[@]} -gt 0 ]] || configs=(lenet5 lenet5_affine simard_cnn mlp800_elastic deotte_affine fashion_cnn cifar10_resnet20)
mkdir -p "$dir"
threads=$(($(nproc) / ${PARALLEL:-2}))
export OMP_NUM_THREADS=$((threads > 0 ? threads : 1))

one_run() { # one_run CONFIG SEED DIR
  local run=$3/$1-$2 resume=()
  if [[ -s $run/summary.json ]]; then return; fi
  if [[ -d $run ]]; then resume=(--resume); fi
  "$LOCKSTEP" train "configs/$1.yaml" "seed=$2" -o "$run" "${resume[@]}" >>"$run.log" 2>&1 ||
    { tail -n 5 "$run.log" >&2; return 255; }
}
export -f one_run

for config in "${configs[@]}"; do
  for ((seed = 1; seed <= seeds; seed++)); do echo "$config $seed $dir"; done
done | xargs -L 1 -P "${PARALLEL:-2}" bash -c 'one_run "$@"' one_run

echo "config,seed,test_accuracy,seconds" >"$dir/runs.csv"
{
  echo "| configuration | test accuracy, % | seeds | minutes |"
  echo "|---|---:|---:|---:|"
  for config in "${configs[@]}"; do
    figures='' minutes=''
    for ((seed = 1; seed <= seeds; seed++)); do
      seconds=$(awk -F'[:,]' '/"seconds":/ {print $2 + 0; exit}' "$dir/$config-$seed/summary.json")
      accuracy=$(study_test "$dir/$config-$seed")
      echo "$config,$seed,$accuracy,$seconds" >>"$dir/runs.csv"
      figures+="$accuracy"$'\n' minutes+="$seconds"$'\n'
    done
    echo "| $config | $(study_mean <<<"${figures%$'\n'}") | $seeds |" \
      "$(awk '{sum += $1} END {printf "%.0f", sum / NR / 60}' <<<"${minutes%$'\n'}") |"
  done
} >"$dir/table.md"
cat "$dir/table.md"
echo "written to $dir: table.md, runs.csv"
