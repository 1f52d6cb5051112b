#!/usr/bin/env bash
# Help, dry run, doctor, data and inspect.
source "$(dirname "$0")/lib.sh"
toy toy 60 20
toy_config

for command in "" train bench eval attack predict data inspect doctor; do
  # shellcheck disable=SC2086
  run 0 "$lockstep" $command --help
  out_has 'Usage:'
done
run 0 "$lockstep" --version
out_has '^lockstep [0-9]+\.[0-9]+\.[0-9]+$'
run 0 "$lockstep" train --help-config
for key in train.epochs train.batch data.source filters momentum warmup_epochs checkpoint.keep; do out_has "$key"; done
ranks 3 0 "$lockstep" train --help
[[ $(grep -c 'Usage:' out) -eq 1 ]] || fail "help is printed by more than one rank"

for config in "$root"/configs/*.yaml; do
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
run 0 "$lockstep" inspect toy.h5
out_has 'train/images'
run 0 "$lockstep" train toy.yaml data.source=toy.h5 -o from-h5
run 0 "$lockstep" train toy.yaml -o from-idx
holds 'IDX and HDF5 train alike' 'd[0]["weights_digest"] == d[1]["weights_digest"]' from-h5/summary.json from-idx/summary.json
run 0 "$lockstep" inspect from-idx/best.h5
out_has 'conv1'
run 0 "$lockstep" inspect from-idx/metrics.h5
finish
