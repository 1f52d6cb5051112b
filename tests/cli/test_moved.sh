#!/usr/bin/env bash
# A run directory that is moved away, replaced or removed while a run writes into it: the run goes on in its own, and
# never touches what is in the old place.
source "$(dirname "$0")/lib.sh"
make_faulty
toy toy 120 20
toy_config "early_stopping: {patience: 2, restore_best: true}"

# state FOLDER: names, inodes, times and contents.
state() { (cd "$1" && find . -printf '%p %i %T@\n' | sort && find . -type f -exec md5sum {} + | sort); }

# start PATH NTH ARGUMENTS...: a training that waits in the n-th fsync of such a file.
start() {
  local path=$1 nth=$2
  shift 2
  waiting="train $*, waiting in $path"
  rm -f mark
  launch ./faulty fsync "$path" "$nth" 0 "$lockstep" train toy.yaml "$@"
  await "$waiting" $pid test -e mark
  mv out first.out # still being written
  mv err first.err
}

# ends STATUS: let it go on, and see how it ends; its output is in out and err.
ends() {
  local status
  rm mark
  wait $pid
  status=$?
  last=$waiting
  mv first.out out
  mv first.err err
  [[ $status -eq $1 ]] || { fail "'$last' ended with $status, not $1"; tail -n 20 out err; }
}

# untouched FOLDER: it is as it was when `state FOLDER >before` was taken.
untouched() { state "$1" | diff before - >changes || fail "$waiting: $1 was changed: $(cat changes)"; }

# Another run in its place: it is left alone to the last byte, and the moved run ends as it would have.
run 0 "$lockstep" train toy.yaml -o whole checkpoint.keep=1
start .checkpoint- 2 -o a checkpoint.keep=1
mv a moved
run 0 "$lockstep" train toy.yaml -o a seed=2
state a >before
ends 0
untouched a
for file in config.yaml best.h5 metrics.h5 metrics.csv summary.json checkpoint-6.h5; do
  [[ -s moved/$file ]] || fail "moved: no $file: $(ls -A moved)"
done
[[ $(ls -A moved | grep -c checkpoint-) -eq 1 ]] || fail "moved: not one checkpoint: $(ls -A moved)"
[[ $(grep -c 'the run directory was moved: going on in .*/moved$' out) -eq 1 ]] || fail "not said once: $(cat out)"
out_has '^results in .*/moved$'
holds 'the moved run ends as it would have' \
  'd[0]["weights_digest"] == d[1]["weights_digest"] != d[2]["weights_digest"] and d[0]["test"] == d[1]["test"]' \
  whole/summary.json moved/summary.json a/summary.json

# A stop request: the message names the folder that it can be resumed in.
rm -rf a moved
start .checkpoint- 1 -o a train.epochs=1000000
mv a moved
mkdir a
state a >before
kill -TERM $pid
ends 75
untouched a
err_has 'stopped on request .*--resume -o .*/moved$'
run 0 "$lockstep" train toy.yaml -o "$(sed -nE 's/.*--resume -o (.*)$/\1/p' err)" train.epochs=3 --resume
out_has 'resuming from .*/moved/checkpoint-[0-9]+.h5'

# Removed: a clear error, and nothing is made in its place.
for again in no yes; do
  rm -rf a
  start .checkpoint- 1 -o a
  rm -rf a
  if [[ $again == yes ]]; then mkdir a; fi
  ends 1
  one_error
  err_has "input/output error: the run directory: folder 'a' was removed, or moved to where it cannot be found$"
  [[ -z $(ls -A a 2>/dev/null) ]] || fail "written into another folder: $(ls -A a)"
done
rm -rf a
start metrics.csv 1 -o a
rm -rf a
ends 1
one_error
start metrics.csv 1 -o a train.epochs=1000000
mv a moved2
rm -rf moved2
ends 1
one_error

# An ensemble: members that begin later are made in the moved folder.
rm -rf a moved
start member-1/.checkpoint- 1 -o a ensemble.members=2 train.epochs=1
mv a moved
run 0 "$lockstep" train toy.yaml -o a ensemble.members=2 train.epochs=1 seed=9
state a >before
ends 0
untouched a
for file in member-1/summary.json member-2/summary.json member-2/best.h5 ensemble.json reliability.svg; do
  [[ -s moved/$file ]] || fail "moved ensemble: no $file: $(find moved)"
done
out_has '^results in .*/moved$'
rm -rf a moved
start member-1/.checkpoint- 1 -o a ensemble.members=2 train.epochs=1
rm -rf a
mkdir a
ends 1
err_has "member 2: .*removed|removed"
[[ -z $(ls -A a) ]] || fail "written into another folder: $(ls -A a)"

# A member's folder, with another network in its place: the vote is that of the weights that were trained. One whose
# weights are nowhere has failed, and is named; the others vote.
rm -rf a moved
run 0 "$lockstep" train toy.yaml -o other train.epochs=1 seed=9
run 0 "$lockstep" train toy.yaml -o whole-ensemble ensemble.members=2 train.epochs=1
start member-1/.checkpoint- 1 -o a ensemble.members=2 train.epochs=1
mv a/member-1 moved
cp -r other a/member-1
ends 0
out_has '/moved/best.h5 '
holds 'the vote of the members that were trained' 'd[0]["test"] == d[1]["test"]' \
  whole-ensemble/ensemble.json a/ensemble.json
rm -rf a moved
start member-2/.checkpoint- 1 -o a ensemble.members=2 train.epochs=1
rm -rf a/member-1
cp -r other a/member-1
ends 1
one_error
err_has "member 1 failed, while the others went on: '?.*a/member-1/best.h5' holds other weights"
[[ -s a/ensemble.json ]] || fail "the other member has not voted: $(find a)"
finish
