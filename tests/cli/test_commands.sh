#!/usr/bin/env bash
# Help, dry run, doctor, data and inspect.
source "$(dirname "$0")/lib.sh"
toy toy 60 20
toy_config

# Help is as wide as a terminal, and its examples are commands that can be copied: one that is longer than a line says
# so by a backslash, and nothing else follows an example.
copied() {
  awk 'length > 80 {print "too long: " $0; bad = 1}
    /^Examples:$|Examples:$/ {examples = 1; next}
    examples && /^$/ {examples = 0}
    examples && !/^  / {print "no line of an example: " $0; bad = 1}
    END {exit bad}' "$1"
}
# A paragraph fills its lines, to within a short word: none ends in its middle.
filled() {
  awk '/Examples:$/ {exit bad}
    /^[^ ]/ && before !~ /^(Usage.*)?$/ && before !~ /[.:]$/ && length(before) + 1 + length($1) < 75 {
      print "a short line: " before; bad = 1
    }
    {before = /^[^ ]/ ? $0 : ""}
    END {exit bad}' "$1"
}
for command in "" train scale bench eval attack predict data "data info" "data preview" "data import" inspect export doctor; do
  # shellcheck disable=SC2086
  run 0 "$lockstep" $command --help
  out_has 'Usage:'
  copied out || fail "lockstep $command --help"
  filled out || fail "lockstep $command --help"
done
run 0 "$lockstep" train --help-config
copied out || fail "--help-config"
run 0 "$lockstep" --version
out_has '^lockstep [0-9]+\.[0-9]+\.[0-9]+$'
run 0 "$lockstep" train --help-config
for key in train.epochs train.batch data.source filters momentum warmup_epochs checkpoint.keep; do out_has "$key"; done
ranks 3 0 "$lockstep" train --help
[[ $(grep -c 'Usage:' out) -eq 1 ]] || fail "help is printed by more than one rank"

for config in "$root"/configs/*.yaml; do
  grep -q '^  source: imagenet$' "$config" && continue # images of another shape
  if [[ -d /usr/share/datasets ]] || dpkg -s dataset-fashion-mnist >/dev/null 2>&1; then
    run 0 "$lockstep" train "$config" data.source=fashion-mnist --dry-run
    out_has 'parameters'
  fi
done
[[ ! -e runs ]] || fail "a dry run left a run directory"

run 0 "$lockstep" doctor
out_has 'MPI'
out_has 'HDF5'
OMP_NUM_THREADS=64 run 0 "$lockstep" doctor
out_has '64 threads|threads.*64'
ranks 2 0 "$lockstep" doctor --json
holds 'doctor: how gradients are summed' '"memory that the ranks share" in d[0]["sums"]' out
python3 -m json.tool out >/dev/null || fail "doctor --json is no JSON"
SLURM_NTASKS=4 run 0 "$lockstep" doctor
grep -qE 'SLURM_NTASKS' out err || fail "doctor does not notice the missing MPI world under Slurm"

run 0 "$lockstep" data info toy
out_has '12'
run 0 "$lockstep" data import toy -o toy.h5
run 0 "$lockstep" data info toy --json
cp out a.json
run 0 "$lockstep" data info toy.h5 --json
cp out b.json
holds 'import keeps the contents' 'd[0]["digest"] == d[1]["digest"]' a.json b.json
run 2 "$lockstep" data import toy -o toy.h5
one_error
run 0 "$lockstep" data preview toy.h5 -o sheet.png
[[ $(head -c 4 sheet.png | tail -c 3) == PNG ]] || fail "no PNG"
run 2 "$lockstep" data preview toy.h5 -o sheet.jpg
one_error
err_has 'a PNG is what is written; try: -o sheet.png'
[[ ! -e sheet.jpg ]] || fail "a PNG under a JPEG's name"
run 0 "$lockstep" inspect toy.h5
out_has 'train/images'
run 0 "$lockstep" train toy.yaml data.source=toy.h5 -o from-h5
run 0 "$lockstep" train toy.yaml -o from-idx
holds 'IDX and HDF5 train alike' 'd[0]["weights_digest"] == d[1]["weights_digest"]' from-h5/summary.json from-idx/summary.json
run 0 "$lockstep" inspect from-idx/best.h5
out_has 'conv1'
run 0 "$lockstep" inspect from-idx/metrics.h5

# Softmax as textbooks write it is what the loss does anyway.
sed 's/{type: dense, name: fc, units: 4}/&\n    - {type: softmax}/' toy.yaml >softmax.yaml
run 0 "$lockstep" train softmax.yaml -o softmax train.loss=cross_entropy
out_has '^model.layers\[6\]: softmax: computed in the loss'
holds 'softmax changes nothing' 'd[0]["weights_digest"] == d[1]["weights_digest"]' softmax/summary.json from-idx/summary.json

# One epoch is no epochs.
run 0 "$lockstep" train toy.yaml -o once train.epochs=1
out_has '^1 epoch in '
ln -s nowhere dangling
run 1 "$lockstep" train toy.yaml -o dangling
err_has "'dangling': a symbolic link of that name leads to nothing"

# Jobs are submitted.
for job in "$root"/jobs/*.sbatch; do
  run 2 env -u SLURM_JOB_ID -u SLURM_SUBMIT_DIR bash "$job"
  err_has "submit it: sbatch .*${job##*/}$"
done
finish
