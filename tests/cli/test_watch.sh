#!/usr/bin/env bash
# Ranks that do not come in commands other than train, and around the trainings of an ensemble: the others say what they wait in, and for whom.
source "$(dirname "$0")/lib.sh"
toy toy 333 20
toy_config
run 0 "$lockstep" train toy.yaml -o net train.epochs=1 train.stall_timeout=1
run 0 "$lockstep" train toy.yaml -o net-ends train.epochs=1 train.stall_timeout=1 train.stall_abort=$abort_s

# sees PATTERN: wait until the job says so.
sees() { await "'$1'" $pid said "$1"; }

# found RANK: whether that rank of the job is there; its process as `held_pid`.
found() {
  for held_pid in $(pgrep -f "^$lockstep "); do
    [[ $(readlink "/proc/$held_pid/cwd") == "$work" ]] || continue
    [[ $(tr '\0' '\n' <"/proc/$held_pid/environ" | sed -n 's/^OMPI_COMM_WORLD_RANK=//p') == "$1" ]] && return
  done
  return 1
}

# ends STATUS: the job does, by itself.
ends() {
  local status
  wait $pid
  status=$?
  [[ $status -eq $1 ]] || { fail "'$last' ended with $status, not $1"; tail -n 20 err; }
}

# stalls STATUS ARG...: rank 1 of 3 comes to no end of opening the data; then it is stopped; then it goes on.
stalls() {
  local expected=$1
  shift
  hold_at toy "$1"
  launch "$root/tests/mpirun.sh" 1 "$lockstep" "$@" : -n 1 "${held[@]}" "$lockstep" "$@" : -n 1 "$lockstep" "$@"
  sees 'warning: rank 0 is waiting for [0-9]+ s \(opening the data: '
  sees 'rank 1 is working for more than [0-9]+ s \(opening the data\)'
  await 'rank 1' $pid found 1
  kill -STOP "$held_pid"
  sees 'no word from rank 1: stopped or dead$'
  let_go "$1"
  kill -CONT "$held_pid"
  ends "$expected"
}

stalls 0 eval net/checkpoint-6.h5
stalls 0 attack net/checkpoint-6.h5 --method fgsm --epsilon 0.1
stalls 0 bench toy.yaml train.stall_timeout=1 --seconds 0.2
stalls 0 scale toy.yaml train.stall_timeout=1 --seconds 0.1 --mode strong
stalls 0 train toy.yaml -o ensemble ensemble.members=2 train.epochs=1 train.stall_timeout=1

# Whose members are trained waits for the others, as long as they are alive: rank 0 trains the longer one.
# rests RUN_DIR ARG...: rank 0 is stopped, and is missed.
rests() {
  local dir=$1
  shift
  hold_at checkpoint-12.h5 "$dir"
  launch "$root/tests/mpirun.sh" 2 "${held[@]}" "$lockstep" train toy.yaml -o "$dir" ensemble.members=2 train.epochs=1 \
    'ensemble.overrides=[none, train.epochs=2]' train.stall_timeout=1 "$@"
  await 'the end of member 1' $pid test -e "$dir/member-1/summary.json"
  await 'a checkpoint of member 2' $pid test -e "$dir/member-2/checkpoint-12.h5"
  await 'rank 0' $pid found 0
  kill -STOP "$held_pid"
  sees 'rank 1 is resting for [0-9]+ s \(bringing the members together: '
  sees 'no word from rank 0: stopped or dead$'
}
rests longer
let_go longer
kill -CONT "$held_pid"
ends 0
rests gone train.stall_abort=$abort_s
sees "rank 1 has waited longer than train.stall_abort, $abort_s s: ending the job"
ends 1

# An ensemble's job ends before there is a training.
hold_at toy early
early=("$lockstep" train toy.yaml -o early ensemble.members=2 train.stall_timeout=1 "train.stall_abort=$abort_s")
launch "$root/tests/mpirun.sh" 1 "${early[@]}" : -n 1 "${held[@]}" "${early[@]}"
sees "rank 0 has waited longer than train.stall_abort, $abort_s s: ending the job"
ends 1

# The job ends where the configuration of the checkpoint wants it to.
hold_at toy ends
launch "$root/tests/mpirun.sh" 1 "${held[@]}" "$lockstep" eval net-ends/checkpoint-6.h5 : -n 1 "$lockstep" eval net-ends/checkpoint-6.h5
sees "rank 1 has waited longer than train.stall_abort, $abort_s s: ending the job"
ends 1
finish
