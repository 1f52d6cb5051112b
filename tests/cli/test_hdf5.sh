#!/usr/bin/env bash
# HDF5 files on systems that fail: locks that HDF5's variable asks for, errors of reading and opening at every call,
# closing; and a damaged file.
source "$(dirname "$0")/lib.sh"
make_faulty
toy toy 120 40
toy_config

# each CALL ERRNO STATUS PATTERN FILE COMMAND...: the command fails with the system's words, whichever of its calls on
# the file fails.
each() {
  local call=$1 errno=$2 expected=$3 words=$4 file=$5 nth before=$failures status
  shift 5
  for ((nth = 1; ; nth++)); do
    rm -f mark
    FAULTY_MARK=mark timeout -k 5 "$hang_s" ./faulty "$call" "$file" "$nth" "$errno" "$@" >out 2>err
    status=$? last="$* ($call $nth)"
    [[ -e mark ]] || break
    [[ $status -eq $expected ]] || fail "'$last' ended with $status, not $expected"
    err_has "$words"
    ! grep -qE 'damaged|no intact|missing' err || fail "'$last' takes an error of the system for damage: $(<err)"
    [[ $failures -lt $((before + 3)) ]] || return
  done
  [[ $nth -gt 1 && $status -eq 0 ]] || fail "'$last' was never disturbed, or fails undisturbed"
}

# Locks: whatever HDF5's variable asks for.
export HDF5_USE_FILE_LOCKING=TRUE
run 0 ./faulty lock .h5 0 524 "$lockstep" data import toy -o toy.h5
run 0 ./faulty lock .h5 0 37 "$lockstep" train toy.yaml data.source=toy.h5 -o run train.epochs=1
run 0 ./faulty lock .h5 0 95 "$lockstep" eval run/best.h5
run 0 ./faulty lock .h5 0 37 "$lockstep" inspect toy.h5
unset HDF5_USE_FILE_LOCKING
tail -c +513 run/best.h5 >unsealed.h5

# Reading and opening.
each read 5 1 'Input/output error' toy.h5 "$lockstep" data info toy.h5
each read 5 1 'Input/output error' best.h5 "$lockstep" inspect run/best.h5
each read 5 1 'Input/output error' unsealed.h5 "$lockstep" inspect unsealed.h5 --config
run 1 ./faulty read toy.h5 4 116 "$lockstep" inspect toy.h5
err_has "cannot inspect 'toy.h5': Stale file handle"
run 0 ./faulty read toy.h5 -1 4 "$lockstep" data info toy.h5
each open 13 2 'Permission denied' best.h5 "$lockstep" inspect run/best.h5
each open 24 1 'Too many open files' best.h5 "$lockstep" inspect run/best.h5
run 1 ./faulty open toy.h5 1 24 "$lockstep" data info toy.h5
err_has 'Too many open files'
run 0 ./faulty close toy.h5 0 5 "$lockstep" data info toy.h5

# Damage (tests/fuzz/sweep.sh has more).
run 0 "$lockstep" inspect unsealed.h5
head -c 3000 unsealed.h5 >cut.h5
run 2 "$lockstep" inspect cut.h5
one_error
err_has "cut.h5': "

# A damaged checkpoint, and an intact one beside it that cannot be read just now: it is not named, nor any older one.
newest=$(newest_step run)
cp "run/checkpoint-$newest.h5" run/checkpoint-0.h5
printf 'x' | dd of=run/best.h5 bs=1 seek=2000 conv=notrunc 2>/dev/null
run 2 "$lockstep" eval run
err_has "damaged.*newest intact checkpoint of this run is 'run/checkpoint-$newest.h5'"
run 2 ./faulty read "checkpoint-$newest.h5" 0 5 "$lockstep" eval run
one_error
err_has 'best.h5.*damaged'
! said 'newest' || fail "a checkpoint that cannot be read is named, or passed over: $(<err)"
run 1 ./faulty read best.h5 0 5 "$lockstep" eval run
err_has 'Input/output error$'
finish
