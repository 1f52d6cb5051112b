#!/usr/bin/env bash
# Ranks that do not come: a stopped one is named and the others go on when it does, or the job ends; a killed one
# ends the job. Time limits.
source "$(dirname "$0")/lib.sh"
toy toy 333 20
toy_config

# start RUN_DIR RANKS ARG...: train in the background until the first epoch is done; ranks as pids in `ranks_pid`.
start() {
  local dir=$1 count=$2
  shift 2
  last="train on $count ranks -o $dir $*"
  "$root/tests/mpirun.sh" "$count" "$lockstep" train toy.yaml -o "$dir" train.epochs=4000 "$@" >out 2>err &
  launcher=$!
  for _ in $(seq 400); do [[ -e $dir/metrics.csv ]] && break; sleep 0.05; done
  mapfile -t ranks_pid < <(pgrep -f "^$lockstep train toy.yaml -o $dir ")
  [[ ${#ranks_pid[@]} -eq $count ]] || fail "'$last' has ${#ranks_pid[@]} ranks"
}

# said PATTERN: wait until the run says so.
said() {
  for _ in $(seq 200); do grep -qE -- "$1" err && return; sleep 0.05; done
  fail "'$last' does not say: $1"
  tail -n 20 err
}

rank_of() { tr '\0' '\n' <"/proc/$1/environ" | sed -n 's/^OMPI_COMM_WORLD_RANK=//p'; }

start stopped 3 train.stall_timeout=1
victim=${ranks_pid[1]} rank=$(rank_of "${ranks_pid[1]}")
kill -STOP "$victim"
said "rank [0-2] is waiting in step [0-9]+ of epoch [0-9]+ for 1 s \(.*\)"
said "no word from rank $rank since step [0-9]+ of epoch [0-9]+: "
sleep 0.5
kill -CONT "$victim"
said 'rank [0-2] goes on'
! grep -q "rank $rank is waiting" err || { fail 'the stopped rank says that it waited'; cat err; }
before=$(newest_step stopped)
kill -TERM "$victim"
wait $launcher
stopped_in_order $? stopped "$before"
[[ -z $(ls stopped/stalled.* 2>/dev/null) ]] || fail "notes are left: $(ls stopped)"

start gone 3 train.stall_timeout=1 train.stall_abort=2
kill -STOP "${ranks_pid[1]}"
SECONDS=0
wait $launcher
status=$?
[[ $status -eq 1 && $SECONDS -lt 12 ]] || fail "stall_abort: status $status after $SECONDS s"
err_has 'longer than train.stall_abort, 2 s: ending the job'
! grep -q 'goes on' err || { fail 'ranks go on after the end'; cat err; }


# The notes that an ended job left tell nothing of the next one, on any number of ranks.
[[ -n $(ls gone/stalled.* 2>/dev/null) ]] || fail "stall_abort leaves no notes: $(ls gone)"
run 0 "$lockstep" train toy.yaml -o gone train.epochs="$(($(grep -c . gone/metrics.csv) + 2))" --resume
[[ -z $(ls gone/stalled.* 2>/dev/null) ]] || fail "notes of the ended job are left: $(ls gone)"

# What the ranks wait in, and for whom: rank 0 cannot go on writing its checkpoint, into a pipe that nobody reads.
mkdir pipe && mkfifo pipe/checkpoint-6.h5.tmp
start pipe 2 train.stall_timeout=1 train.stall_abort=3
said 'rank 1 is waiting in step 6 of epoch 1 for 1 s \(writing a checkpoint: agreeing on a status\)'
said 'rank 0 is working in step 6 of epoch 1 for more than [0-9]+ s \(writing a checkpoint\)'
wait $launcher
status=$?
[[ $status -eq 1 ]] || fail "stall_abort while rank 0 writes: status $status"

# A rank that does not come while the data is opened, as on a file system that has gone: there is no run directory
# yet.
cat >hang.c <<'C'
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <string.h>
#include <unistd.h>
DIR *opendir(const char *path)
{
  while (strcmp(path, "toy") == 0) pause();
  return ((DIR * (*)(const char *)) dlsym(RTLD_NEXT, "opendir"))(path);
}
C
${CC:-cc} -shared -fPIC -o hang.so hang.c -ldl || fail 'no compiler'
early=("$lockstep" train toy.yaml -o early train.stall_timeout=1 train.stall_abort=3)
last='train on two ranks, of which rank 1 hangs'
"$root/tests/mpirun.sh" 1 "${early[@]}" : \
  -n 1 env LD_PRELOAD="$work/hang.so" ASAN_OPTIONS=verify_asan_link_order=0 "${early[@]}" >out 2>err &
launcher=$!
said 'rank 0 is waiting before the first step for 1 s \(opening the data: agreeing on a status\)'
said 'rank 1 is working before the first step for 1 s \(opening the data\)'
SECONDS=0
wait $launcher
status=$?
[[ $status -eq 1 && $SECONDS -lt 10 ]] || fail "stall_abort before the run: status $status after $SECONDS s"
err_has 'rank 0 has waited longer than train.stall_abort'

start killed 3
kill -KILL "${ranks_pid[2]}"
SECONDS=0
wait $launcher
status=$?
[[ $status -ne 0 && $SECONDS -lt 10 ]] || fail "a killed rank: status $status after $SECONDS s"

# A time limit: checkpoint, status 75, and on to the end of the run that has none.
run 0 "$lockstep" train toy.yaml -o whole train.epochs=300
run 75 "$lockstep" train toy.yaml -o limited train.epochs=300 train.time_limit=0.3
err_has 'train.time_limit reached: stopped after step [0-9]+ .*--resume'
run 0 "$lockstep" train toy.yaml -o limited train.epochs=300 --resume
holds 'a time limit' 'd[0]["weights_digest"] == d[1]["weights_digest"]' whole/summary.json limited/summary.json

finish
