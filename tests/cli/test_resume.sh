#!/usr/bin/env bash
# Runs that are stopped, or have ended, and go on: stop requests, a time limit, more epochs, other settings.
source "$(dirname "$0")/lib.sh"
toy toy 333 20
toy_config

# resumed RUN_DIR: a run that was stopped ends, one epoch later, with the bits of an undisturbed one.
resumed() {
  local epochs=$(($(epochs_done "$1") + 1))
  run 0 "$lockstep" train toy.yaml -o "$1" train.epochs=$epochs --resume
  run 0 "$lockstep" train toy.yaml -o "$1-whole" train.epochs=$epochs
  holds "$1: resumed" 'd[0]["weights_digest"] == d[1]["weights_digest"]' "$1/summary.json" "$1-whole/summary.json"
}

# A stop request: checkpoint, status 75, and going on to the same end.
launch "$lockstep" train toy.yaml -o halted "$endless"
await 'the first epoch' $pid test -e halted/metrics.csv
mv err halted.err # still being written
run 2 "$lockstep" train toy.yaml -o halted --resume
one_error
err_has "'halted' is in use by another run"
before=$(newest_step halted)
kill -TERM "$(ranks_of halted)"
wait $pid
status=$?
last='train, SIGTERM'
mv halted.err err
stopped_in_order $status halted "$before"
resumed halted

# The same on two ranks, where one of them gets the signal.
launch "$root/tests/mpirun.sh" 2 "$lockstep" train toy.yaml -o halted2 "$endless"
await 'the first epoch' $pid test -e halted2/metrics.csv
before=$(newest_step halted2)
kill -USR1 "$(ranks_of halted2 | tail -n 1)"
wait $pid
stopped_in_order $? halted2 "$before"
resumed halted2

# A time limit: checkpoint, status 75, and on to the end of the run that has none.
run 75 "$lockstep" train toy.yaml -o limited "$endless" train.time_limit=0.3
err_has 'train.time_limit reached: stopped after step [0-9]+ .*--resume'
resumed limited

# best.h5 is lost: the run ends all the same, with the last epoch's weights, and says so.
run 0 "$lockstep" train toy.yaml -o lost train.epochs=2 train.early_stopping.patience=9
rm lost/best.h5
run 0 "$lockstep" train toy.yaml -o lost train.epochs=2 train.early_stopping.patience=9 --resume
out_has "best.h5 is missing: the final weights are the last epoch's"
[[ -s lost/summary.json ]] || fail "no summary without best.h5"

# A run that early stopping has ended says so, and goes on with more patience.
run 0 "$lockstep" train toy.yaml -o early train.epochs=40 train.optimizer.lr=0.3 train.early_stopping.patience=1
epochs=$(json early/summary.json 'd["epochs"]')
[[ $epochs -lt 40 ]] || fail "early stopping did not stop"
run 0 "$lockstep" train toy.yaml -o early train.epochs=40 train.optimizer.lr=0.3 train.early_stopping.patience=1 --resume
out_has 'early stopping has ended this run'
run 0 "$lockstep" train toy.yaml -o early train.epochs=$((epochs + 1)) train.early_stopping.patience=30 --resume
holds 'more patience' "d[0]['epochs'] == $epochs + 1" early/summary.json

# Other batches: between epochs, and said; within one, refused.
run 0 "$lockstep" train toy.yaml -o batches train.epochs=2
run 0 "$lockstep" train toy.yaml -o batches train.epochs=3 train.batch=25 train.microbatch=5 --resume
out_has 'train.batch: 50 so far, 25 from now on'
out_has 'train.microbatch: 8 so far, 5 from now on'
out_has 'train.epochs: 2 so far, 3 from now on'
[[ $(grep -c 'so far' out) -eq 3 ]] || fail "other changes are reported: $(cat out)"
holds 'another batch' 'd[0]["epochs"] == 3' batches/summary.json
run 0 "$lockstep" train toy.yaml -o within train.epochs=1 checkpoint.every_steps=4 checkpoint.keep=99
rm "$(ls -v within/checkpoint-*.h5 | tail -n 1)"
run 2 "$lockstep" train toy.yaml -o within train.batch=25 --resume
one_error
err_has 'train.batch: .*only between epochs'
run 0 "$lockstep" train toy.yaml -o within train.epochs=1 --resume
out_has 'resuming from within/checkpoint-4.h5: 4 steps are done: 0 epochs and 4 steps of the next$'
run 0 "$lockstep" train toy.yaml -o within train.epochs=2 checkpoint.every_steps=4 checkpoint.keep=99 --resume
out_has 'resuming from within/checkpoint-6.h5: 6 steps are done: 1 epoch$'
rm "$(ls -v within/checkpoint-*.h5 | tail -n 1)"
run 2 "$lockstep" train toy.yaml -o within train.epochs=1 --resume
one_error
err_has 'train.epochs: 1, but 1 epoch is done and the next has begun'
run 0 "$lockstep" train toy.yaml -o within train.epochs=2 --resume
out_has 'resuming from within/checkpoint-8.h5: 8 steps are done: 1 epoch and 2 steps of the next$'
# A checkpoint that lockstep 0.1.0 wrote while the store still knew plateau's numbers (golden/plateau_checkpoint.h5.gz:
# adam, epoch 4 of 8, one bad epoch since the last drop): the run goes on with that rate and that epoch. No loss is ever
# a tenth of the first, so that the rates depend on no rounding.
toy toy 120 40
cat >plateau.yaml <<'Y'
name: plateau
data: {source: toy, validation: 0.2}
model:
  layers:
    - {type: flatten}
    - {type: dense, name: fc, units: 4}
train:
  epochs: 8
  batch: 48
  microbatch: 8
  optimizer: {type: adam, lr: 0.0004}
  schedule: {type: plateau, factor: 0.5, patience: 1, threshold: 0.9}
Y
# rates RUN_DIR: the learning rates of its epochs.
rates() { cut -d, -f7 "$1/metrics.csv" | tail -n +2 | paste -sd ' '; }
mkdir old
gzip -dc "$root/tests/golden/plateau_checkpoint.h5.gz" >old/checkpoint-8.h5
run 0 "$lockstep" train plateau.yaml -o old --resume
out_has 'resuming from old/checkpoint-8.h5: 8 steps are done: 4 epochs$'
[[ "$(rates old)" == '0.0004 0.0004 0.0004 0.0002 0.0002 0.0001 0.0001 5e-05' ]] || fail "rates of an old run: $(rates old)"
holds 'an old run ends' 'd[0]["epochs"] == 8 and d[0]["steps"] == 16' old/summary.json

# All ranks go on with it.
mkdir old2
gzip -dc "$root/tests/golden/plateau_checkpoint.h5.gz" >old2/checkpoint-8.h5
run 0 "$root/tests/mpirun.sh" 2 "$lockstep" train plateau.yaml -o old2 --resume
out_has 'resuming from old2/checkpoint-8.h5'
[[ "$(rates old2)" == "$(rates old)" ]] || fail "rates of an old run on two ranks: $(rates old2)"

# What is written now says as much: a run that stops at that epoch goes on alike.
run 0 "$lockstep" train plateau.yaml -o anew train.epochs=4
run 0 "$lockstep" train plateau.yaml -o anew --resume
run 0 "$lockstep" train plateau.yaml -o whole
[[ "$(rates anew)" == "$(rates old)" ]] || fail "rates of a run that went on: $(rates anew)"
holds 'the same weights' 'd[0]["weights_digest"] == d[1]["weights_digest"]' anew/summary.json whole/summary.json

# Another schedule begins with what it starts with, whatever the one before remembered.
run 0 "$lockstep" train plateau.yaml -o other train.epochs=2 'train.schedule={type: constant}'
run 0 "$lockstep" train plateau.yaml -o other train.epochs=4 --resume
[[ "$(rates other)" == '0.0004 0.0004 0.0004 0.0004' ]] || fail "rates after another schedule: $(rates other)"
finish
