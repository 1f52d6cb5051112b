#!/usr/bin/env bash
# HDF5 files on systems that fail: no locks, errors of reading and opening at every call, no memory; and a damaged file.
source "$(dirname "$0")/lib.sh"
toy toy 120 40
toy_config
"${CC:-cc}" -shared -fPIC -o fail_call.so "$root/tests/cli/fail_call.c" || { echo "no C compiler"; exit 77; }

# failing CALL ERRNO AT STATUS COMMAND...: run with the AT-th such call failing (all: ''); true if there was one.
failing() {
  local call=$1 errno=$2 at=$3 expected=$4
  shift 4
  rm -f told
  run "$expected" env LD_PRELOAD="$work/fail_call.so" FAIL_CALL="$call" FAIL_WITH="$errno" ${at:+FAIL_AT="$at"} \
    FAIL_TOLD=told "$@"
  [[ -e told ]]
}

# each ERRNO CALL STATUS PATTERN COMMAND...: the command fails with the system's words, whichever of its calls fails.
each() {
  local errno=$1 call=$2 expected=$3 words=$4 at before=$failures
  shift 4
  for ((at = 1; ; at++)); do
    rm -f told
    LD_PRELOAD=$work/fail_call.so FAIL_CALL=$call FAIL_WITH=$errno FAIL_AT=$at FAIL_TOLD=told \
      timeout -k 5 120 "$@" >out 2>err
    status=$? last="$* (call $at)"
    [[ -e told ]] || break
    [[ $status -eq $expected ]] || fail "'$last' ended with $status, not $expected"
    err_has "$words"
    ! grep -qE 'damaged|no intact|missing' err || fail "'$last' takes an error of the system for damage: $(cat err)"
    [[ $failures -lt $((before + 3)) ]] || return
  done
  [[ $at -gt 1 && $status -eq 0 ]] || fail "'$last' was never disturbed, or fails undisturbed"
}

# Locks: whatever the system says of them, and whatever HDF5's variable asks for.
for errno in 37 95 524; do
  export HDF5_USE_FILE_LOCKING=TRUE
  failing lock "$errno" '' 0 "$lockstep" data import toy -o "toy-$errno.h5"
  failing lock "$errno" '' 0 "$lockstep" train toy.yaml "data.source=toy-$errno.h5" -o "run-$errno" train.epochs=1
  failing lock "$errno" '' 0 "$lockstep" train --resume -o "run-$errno" toy.yaml "data.source=toy-$errno.h5" \
    train.epochs=2
  out_has 'resuming from run-'
  failing lock "$errno" '' 0 "$lockstep" eval "run-$errno/best.h5"
  failing lock "$errno" '' 0 "$lockstep" inspect "toy-$errno.h5"
  unset HDF5_USE_FILE_LOCKING
done
cp toy-37.h5 toy.h5
best=run-37/best.h5
tail -c +513 "$best" >unsealed.h5

# Reading and opening.
each 5 read 1 'Input/output error' "$lockstep" data info toy.h5
failing read 116 4 1 "$lockstep" inspect toy.h5
err_has "cannot inspect 'toy.h5': Stale file handle"
each 5 read 1 'Input/output error' "$lockstep" inspect "$best"
each 5 read 1 'Input/output error' "$lockstep" inspect unsealed.h5 --config
for case in '13 2 Permission denied' '24 1 Too many open files' '5 1 Input/output error'; do
  read -r errno expected words <<<"$case"
  each "$errno" open "$expected" "cannot open: $words" "$lockstep" data info toy.h5
  each "$errno" open "$expected" "cannot open: $words" "$lockstep" inspect "$best"
done
run 0 env LD_PRELOAD="$work/fail_call.so" FAIL_CALL=read FAIL_WITH=4 FAIL_AT=3 "$lockstep" data info toy.h5

# Memory and closing: told, or without a consequence; nothing crashes, at the program's end neither.
run 0 "$lockstep" data info toy.h5
cp out good
for call in malloc close; do
  for at in 7 50 150 300 420 700 900 1200; do
    rm -f told
    LD_PRELOAD=$work/fail_call.so FAIL_CALL=$call FAIL_WITH=12 FAIL_AT=$at FAIL_TOLD=told \
      timeout -k 5 120 "$lockstep" data info toy.h5 >out 2>err
    status=$? last="data info ($call $at)"
    case $status in
      0) cmp -s out good || fail "'$last' says something else" ;;
      1 | 2) one_error ;;
      *) fail "'$last' ended with $status"; cat err ;;
    esac
  done
done

# Damage (tests/fuzz/sweep.sh has more).
run 0 "$lockstep" inspect unsealed.h5
head -c 3000 unsealed.h5 >cut.h5
run 2 "$lockstep" inspect cut.h5
one_error
err_has "cut.h5': "
finish
