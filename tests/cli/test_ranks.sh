#!/usr/bin/env bash
# Ranks that are not alike: other arguments, or other data under the same name. One message names the rank and what
# differs, before anything is written.
source "$(dirname "$0")/lib.sh"
toy toy 333 20
toy_config
mkdir elsewhere
cp toy.yaml elsewhere

# refused PATTERN RANK_1_ARG...: two ranks, of which rank 1 is started as `mpirun RANK_1_ARG...` says.
refused() {
  local pattern=$1
  shift
  ranks 1 2 "$lockstep" train toy.yaml -o never : -n 1 "$@"
  one_error
  err_has "$pattern \(rank 1\)$"
  [[ ! -e never && ! -e elsewhere/never ]] || fail "'$last' left a folder"
}
arguments="usage error: the command line's arguments are not rank 0's:"
refused "$arguments 'train.batch=60' instead of nothing" "$lockstep" train toy.yaml -o never train.batch=60
refused "$arguments '--resume' instead of nothing" "$lockstep" train toy.yaml -o never --resume
refused "$arguments nothing instead of 'never'" "$lockstep" train toy.yaml -o
refused "$arguments 'bench' instead of 'train'" "$lockstep" bench toy.yaml

other="input error: data.source: this rank's dataset is not rank 0's:"
elsewhere() { refused "$other $1" -wdir elsewhere "$lockstep" train toy.yaml -o never; }
toy elsewhere/toy 334 20
elsewhere "'train samples: 334' instead of 'train samples: 333'"
toy elsewhere/toy 333 21
elsewhere "'test samples: 21' instead of 'test samples: 20'"
for split in train t10k; do # one label more of class 1 or 2, as many samples
  rm -r elsewhere/toy
  cp -r toy elsewhere
  python3 - elsewhere/toy/$split-labels-idx1-ubyte <<'P'
import sys
b = bytearray(open(sys.argv[1], "rb").read())
b[20] = 1 if b[20] != 1 else 2
open(sys.argv[1], "wb").write(b)
P
  elsewhere "'digest of the (train|test) labels: [0-9a-f]{32}' instead of 'digest of the (train|test) labels: [0-9a-f]{32}'"
done

# The same for a network that is evaluated; and where the samples are the same, another copy is fine.
run 0 "$lockstep" train toy.yaml -o good train.epochs=1
cp -r good elsewhere
ranks 1 2 "$lockstep" eval good/best.h5 : -n 1 -wdir elsewhere "$lockstep" eval good/best.h5
one_error
err_has "$other .* \(rank 1\)$"
rm -r elsewhere/toy
cp -r toy elsewhere
gunzip elsewhere/toy/*.gz
ranks 1 0 "$lockstep" train toy.yaml -o both train.epochs=1 : \
  -n 1 -wdir elsewhere "$lockstep" train toy.yaml -o both train.epochs=1
holds 'two copies' 'd[0]["weights_digest"] == d[1]["weights_digest"]' good/summary.json both/summary.json

# Fewer threads than parts of a step would wait for each other for ever.
OMP_NUM_THREADS=3 OMP_THREAD_LIMIT=2 run 2 "$lockstep" train toy.yaml -o limited
one_error
err_has 'OpenMP gives this rank 2 of 3 threads'
err_has 'OMP_THREAD_LIMIT is 2; try: unset OMP_THREAD_LIMIT'
for command in 'eval good/best.h5' 'bench toy.yaml' 'attack good/best.h5 --method fgsm --epsilon 0.1'; do
  # shellcheck disable=SC2086
  OMP_NUM_THREADS=3 OMP_THREAD_LIMIT=2 run 2 "$lockstep" $command
  one_error
  err_has 'OMP_THREAD_LIMIT is 2; try: unset OMP_THREAD_LIMIT'
done
OMP_THREAD_LIMIT=2 ranks 2 2 "$lockstep" scale toy.yaml --threads 1,2,4 --seconds 0.1
one_error
err_has 'measuring 4 threads: OpenMP gives this rank 2 of 4 threads: OMP_THREAD_LIMIT is 2'
OMP_NUM_THREADS=2 OMP_MAX_ACTIVE_LEVELS=0 run 2 "$lockstep" train toy.yaml -o limited
one_error
err_has 'OpenMP gives this rank 1 of 2 threads: OMP_MAX_ACTIVE_LEVELS is 0; try: unset OMP_MAX_ACTIVE_LEVELS'
for variable in OMP_NUM_THREADS OMP_THREAD_LIMIT OMP_MAX_ACTIVE_LEVELS; do
  for command in 'train toy.yaml -o limited' 'eval good/best.h5' 'bench toy.yaml' doctor; do
    # shellcheck disable=SC2086
    run 2 env $variable=x "$lockstep" $command
    err_has "^lockstep: input error: $variable is 'x', a count from [01].* is expected; try: unset $variable" # after OpenMP's own line
  done
done
[[ ! -e limited ]] || fail "too few threads left a folder"
OMP_NUM_THREADS=3 OMP_DYNAMIC=true run 0 "$lockstep" train toy.yaml -o dynamic train.epochs=1
finish
