#!/usr/bin/env bash
# Ranks that do not come: a stopped one is named and the others go on when it does, or the job ends; a killed one
# ends the job.
source "$(dirname "$0")/lib.sh"
toy toy 333 20
toy_config

# start RUN_DIR RANKS ARG...: train without end; the first epoch is done. Ranks as pids in `ranks_pid`.
start() {
  local dir=$1 count=$2
  shift 2
  launch "$root/tests/mpirun.sh" "$count" "$lockstep" train toy.yaml -o "$dir" "$endless" "$@"
  await 'the first epoch' $pid test -e "$dir/metrics.csv"
  mapfile -t ranks_pid < <(ranks_of "$dir")
  [[ ${#ranks_pid[@]} -eq $count ]] || fail "'$last' has ${#ranks_pid[@]} ranks"
}

# sees PATTERN: wait until the job says so.
sees() { await "'$1'" $pid said "$1"; }

# ended STATUS...: wait for the end of the job, by itself and with one of these.
ended() {
  local status
  say 'waiting for its end'
  wait $pid
  status=$?
  ! said '^timeout: ' && [[ " $* " == *" $status "* ]] || { fail "'$last' ended with $status, not $*"; tail -n 20 err; }
}

start stopped 3 train.stall_timeout=2
kill -STOP "${ranks_pid[1]}"
sees 'rank [02] is waiting in step [0-9]+ of epoch [0-9]+ for [0-9]+ s \(.*\)'
sees 'no word from rank 1 since step [0-9]+ of epoch [0-9]+: '
sleep 0.5 # so that it has been stopped for longer than it would need to report that it waits
before=$(newest_step stopped)
kill -CONT "${ranks_pid[1]}"
sees 'rank [02] goes on'
sed -n '/no word from rank 1/,$p' err | grep -q 'rank 1 is waiting' &&
  { fail 'the stopped rank says that it waited'; cat err; }
kill -TERM "${ranks_pid[1]}"
wait $pid
stopped_in_order $? stopped "$before"
[[ -z $(ls stopped/stalled.* 2>/dev/null) ]] || fail "notes are left: $(ls stopped)"

start gone 3 train.stall_timeout=1 train.stall_abort=$abort_s
kill -STOP "${ranks_pid[1]}"
ended 1
err_has 'longer than train.stall_abort, '$abort_s' s: ending the job'
sed -n '/ending the job/,$p' err | grep -q 'goes on' && { fail 'ranks go on after the end'; cat err; }

# The notes that an ended job left say nothing of the next one, on any number of ranks.
[[ -n $(ls gone/stalled.* 2>/dev/null) ]] || fail "stall_abort leaves no notes: $(ls gone)"
run 0 "$lockstep" train toy.yaml -o gone train.epochs="$(($(epochs_done gone) + 3))" --resume
[[ -z $(ls gone/stalled.* 2>/dev/null) ]] || fail "notes of the ended job are left: $(ls gone)"

# What the ranks wait in, and for whom: rank 0 comes to no end of writing its checkpoint.
hold_at 'checkpoint-6.h5' writing
launch "$root/tests/mpirun.sh" 2 "${held[@]}" "$lockstep" train toy.yaml -o writing "$endless" train.stall_timeout=1 train.stall_abort=$abort_s
sees 'rank 1 is waiting in step 6 of epoch 1 for [0-9]+ s \(writing a checkpoint: agreeing on a status\)'
sees 'rank 0 is working in step 6 of epoch 1 for more than [0-9]+ s \(writing a checkpoint\)'
ended 1

# Calls of the system that are interrupted take no notes away.
make_faulty
launch "$root/tests/mpirun.sh" 2 ./faulty open interrupted -1 4 "$lockstep" train toy.yaml -o interrupted "$endless" train.stall_timeout=2
await 'the first epoch' $pid test -e interrupted/metrics.csv
mapfile -t ranks_pid < <(ranks_of interrupted)
kill -STOP "${ranks_pid[0]}"
sees 'no word from rank 0 since step'
[[ -s interrupted/stalled.1 ]] || fail "rank 1 has left no note: $(ls interrupted)"
kill -CONT "${ranks_pid[0]}"
kill -TERM "${ranks_pid[0]}"
ended 75

# A rank that does not come while the data is opened, as on a file system that has gone: there is no run directory
# yet.
hold_at toy opening
early=("$lockstep" train toy.yaml -o early train.stall_timeout=1 train.stall_abort=$abort_s)
launch "$root/tests/mpirun.sh" 1 "${early[@]}" : -n 1 "${held[@]}" "${early[@]}"
sees 'rank 0 is waiting before the first step for [0-9]+ s \(opening the data: agreeing on a status\)'
sees 'rank 1 is working before the first step for [0-9]+ s \(opening the data\)'
ended 1
err_has 'rank 0 has waited longer than train.stall_abort'

start killed 3
kill -KILL "${ranks_pid[2]}"
ended 1 137
finish
