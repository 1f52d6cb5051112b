#!/usr/bin/env bash
# What goes wrong while running: full disk, folder in the way, divergence, damaged checkpoint, stop request.
source "$(dirname "$0")/lib.sh"
toy toy 333 20
toy_config

# A run directory that cannot be made.
touch file
run 1 "$lockstep" train toy.yaml -o file/run
one_error
err_has 'file/run'

# A disk that is full: the first epochs' checkpoints stay intact, the message says what.
if [[ $EUID -eq 0 ]] && mkdir full && mount -t tmpfs -o size=400k tmpfs full 2>/dev/null; then
  run 0 "$lockstep" train toy.yaml -o full/run train.epochs=1 checkpoint.keep=100
  head -c 10M /dev/zero >full/filler 2>/dev/null
  run 1 "$lockstep" train toy.yaml -o full/run --resume train.epochs=3 checkpoint.keep=100
  one_error
  err_has 'full/run.*[Nn]o space'
  rm full/filler
  run 0 "$lockstep" train toy.yaml -o full/run --resume train.epochs=2 checkpoint.keep=100
  umount full
else
  echo "no tmpfs here: the full disk is not tested"
fi

# Divergence stops the run and names the step.
run 1 "$lockstep" train toy.yaml -o wild train.optimizer.lr=1e30
one_error
err_has 'not finite in step [0-9]+ of epoch'

# The newest checkpoint is damaged: it is named and skipped.
run 0 "$lockstep" train toy.yaml -o hurt
newest=$(ls -v hurt/checkpoint-*.h5 | tail -n 1)
truncate -s -100 "$newest"
run 0 "$lockstep" train toy.yaml -o hurt --resume train.epochs=4
out_has "$newest"
out_has 'resuming from hurt/checkpoint-'

# A stop request: checkpoint, status 75, and going on to the same end.
run 0 "$lockstep" train toy.yaml -o whole train.epochs=400
"$lockstep" train toy.yaml -o halted train.epochs=400 >out 2>err &
pid=$!
for _ in $(seq 100); do [[ -e halted/metrics.csv ]] && break; sleep 0.05; done
kill -TERM $pid
wait $pid
status=$?
[[ $status -eq 75 ]] || { fail "SIGTERM gives status $status, not 75"; cat out err; }
last='train, SIGTERM'
err_has 'stopped on request after step [0-9]+'
run 0 "$lockstep" train toy.yaml -o halted train.epochs=400 --resume
holds 'resumed after SIGTERM' 'd[0]["weights_digest"] == d[1]["weights_digest"]' whole/summary.json halted/summary.json

# A closed pipe ends the run with an error, not a hang.
"$lockstep" train --help-config | head -n 1 >/dev/null
finish
