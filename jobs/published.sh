#!/usr/bin/env bash
# The table of configs/README.md: each published configuration over some seeds, test accuracy of the last epoch as mean and
# standard deviation; the soft vote, or what an attack leaves, where the table has them; and the minutes of a training here:
# those of its fastest epoch times their number. Writes table.md and runs.csv.
#
#   bash jobs/published.sh [DIR [CONFIG...]]      default runs/published, all of them; what is there already is not run again
#
# SEEDS="1 2 3" instead of those of the table; PARALLEL=2 trainings side by side, each with an equal share of the cores;
# LOCKSTEP names the program. All of them take half a day on two cores; on a cluster:
# sbatch --export=ALL,CONFIG=configs/NAME.yaml jobs/train.sbatch seed=1
set -euo pipefail
cd "$(dirname "$0")/.."
source jobs/study.sh
study_program
dir=${1:-runs/published}
mkdir -p "$dir"
threads=$(($(nproc) / ${PARALLEL:-2}))
export OMP_NUM_THREADS=$((threads > 0 ? threads : 1))

# CONFIG|seeds|vote, or the attack that is measured|data|what was published
table=(
  "lenet5_affine|1 2 3||MNIST, turned, moved, scaled|LeCun et al. 1998: 99.2 % with distortions, 99.05 % without"
  "mlp800_elastic|1 2 3||MNIST, elastic|Simard et al. 2003: 99.3 %"
  "simard_cnn|1 2 3||MNIST, elastic|Simard et al. 2003: 99.6 %"
  "deotte_affine|1 2 3|vote|MNIST, turned, moved, scaled|Deotte 2018: 99.75 % by a vote of 15"
  "fashion_cnn|1 2 3|vote|Fashion-MNIST, mirrored, moved|Fashion-MNIST's own list: 93.5 % (VGG16, 26 million parameters)"
  "cifar10_resnet20|1||CIFAR-10, mirrored, cropped|He et al. 2016: 91.25 % on all 50,000 samples"
  "adversarial_fgsm|1|--method fgsm --epsilon 0.25|MNIST|Goodfellow et al. 2015: 82.1 % under FGSM 0.25"
  "adversarial_pgd|1|--method pgd --epsilon 0.3 --step-size 0.01 --restarts 3|MNIST|Madry et al. 2018: 98.8 %; 93.2 % under PGD-40 0.3"
)

for config in "${@:2}"; do
  [[ " ${table[*]%%|*} " == *" $config "* ]] || { echo "not in the table: $config; there are ${table[*]%%|*}" >&2; exit 2; }
done
rows=()
for row in "${table[@]}"; do
  [[ $# -lt 2 || " ${*:2} " == *" ${row%%|*} "* ]] && rows+=("$row")
done

one_run() { # one_run CONFIG SEED DIR
  local run=$3/$1-$2 resume=()
  if [[ -s $run/summary.json ]]; then return; fi
  if [[ -d $run ]]; then resume=(--resume); fi
  "$LOCKSTEP" train "configs/$1.yaml" "seed=$2" -o "$run" "${resume[@]}" >>"$run.log" 2>&1 ||
    { tail -n 5 "$run.log" >&2; return 255; }
}
export -f one_run

for row in "${rows[@]}"; do
  IFS='|' read -r config row_seeds _ <<<"$row"
  for seed in ${SEEDS:-$row_seeds}; do echo "$config $seed $dir"; done
done | xargs -L 1 -P "${PARALLEL:-2}" bash -c 'one_run "$@"' one_run

minutes() { # of the run in $1
  awk -F, 'NR > 1 {n++; if (n == 1 || $NF < least) least = $NF} END {printf "%.1f", n * least / 60}' "$1/metrics.csv"
}

# The first accuracy of a JSON document on standard input, in per cent.
percent() { awk '/"accuracy":/ {gsub(",", ""); printf "%.2f", 100 * $2; exit}'; }

echo "config,seed,test_accuracy,minutes" >"$dir/runs.csv"
{
  echo "| configuration | data | parameters | epochs | minutes | test accuracy (seeds) | published |"
  echo "|---|---|---:|---:|---:|---|---|"
  for row in "${rows[@]}"; do
    IFS='|' read -r config row_seeds extra data published <<<"$row"
    seeds=${SEEDS:-$row_seeds} figures='' times='' ends=()
    for seed in $seeds; do
      run=$dir/$config-$seed
      ends+=("$run/$(study_field checkpoint "$run")")
      accuracy=$(study_test "$run")
      echo "$config,$seed,$accuracy,$(minutes "$run")" >>"$dir/runs.csv"
      figures+="$accuracy"$'\n' times+="$(minutes "$run")"$'\n'
    done
    attacked=''
    if [[ $extra == --method* ]]; then
      # shellcheck disable=SC2086 # a list of options
      attacked="; $("$LOCKSTEP" attack "${ends[0]}" $extra --json | percent) % under ${published##* under }"
    fi
    echo "| [$config]($config.yaml) | $data | $(study_field parameters "$run" | sed -E ':a; s/([0-9])([0-9]{3})($|,)/\1,\2\3/; ta') |" \
      "$(study_field epochs "$run") | $(awk '{s += $1} END {printf "%.1f", s / NR}' <<<"${times%$'\n'}") |" \
      "$(study_mean <<<"${figures%$'\n'}") %$attacked (${seeds// /, }) | $published |"
    if [[ $extra == vote ]]; then
      echo "| the ${#ends[@]} of them, soft vote | | | | | $("$LOCKSTEP" eval "${ends[@]}" --json | percent) % | |"
    fi
  done
} >"$dir/table.md"
cat "$dir/table.md"
echo "written to $dir: table.md, runs.csv"
