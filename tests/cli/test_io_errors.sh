#!/usr/bin/env bash
# File systems without locks, and such as fail: an error of the system is reported as what it is. It is never taken for
# damage, and never leads to another result.
source "$(dirname "$0")/lib.sh"
make_faulty
toy toy 120 20
toy_config "early_stopping: {patience: 1, restore_best: true}"
steps=(train.epochs=3 train.optimizer.lr=0.3)
picture picture.png

# ---- no locks: ENOLCK, EOPNOTSUPP, ENOTSUPP ----

# end_of FOLDER: the final weights, where they are, and what they come to.
end_of() { json "$1/summary.json" '(d["weights_digest"], d["checkpoint"], d["test"]["accuracy"])'; }

run 0 "$lockstep" train toy.yaml -o whole "${steps[@]}"
right=$(end_of whole)
run 0 "$lockstep" eval whole/best.h5 --json
mv out whole.json
for errno in 37 95 524; do
  rm -rf folder
  run 0 ./faulty lock '' 0 $errno "$lockstep" train toy.yaml -o folder "${steps[@]}" train.epochs=1
  [[ $(grep -c "^lockstep: warning: run directory 'folder' cannot be locked" err) -eq 1 ]] ||
    fail "no locks, not reported once: $(cat err)"
  run 0 ./faulty lock '' 0 $errno "$lockstep" train toy.yaml -o folder "${steps[@]}" --resume
  out_has 'resuming from folder/checkpoint-2.h5'
  [[ $(end_of folder) == "$right" ]] || fail "errno $errno: $(end_of folder), not $right"
  run 0 ./faulty lock '' 0 $errno "$lockstep" eval folder/best.h5 --json
  cmp -s out whole.json || fail "errno $errno: another evaluation: $(cat out)"
  run 0 ./faulty lock '' 0 $errno "$lockstep" data import toy -o toy.h5 --force
  run 0 ./faulty lock '' 0 $errno "$lockstep" data info toy.h5
done

# ---- errors ----
export OMPI_MCA_ess_singleton_isolated=1 # no daemon for a rank by itself: a run takes half as long

# sweep CALL PATH ERRNO "STATUS..." CHECK COMMAND...: the first, second, ... such call fails, until none is left (of those
# beyond the fourth every LS_STRIDE-th, by default every seventh). Each time the command ends with one of the statuses: 0
# with a result that CHECK finds right, else with one error that says what the system said. `prepare` is run before each.
sweep() {
  local call=$1 path=$2 errno=$3 allowed=$4 check=$5 nth status words
  shift 5
  words=$(python3 -c 'import os,sys; print(os.strerror(int(sys.argv[1])))' "$errno")
  for ((nth = 1; nth < 1000; nth += nth < 4 ? 1 : ${LS_STRIDE:-7})); do
    last="$*, with $call $nth of $path failing: $words"
    rm -f mark
    prepare
    timeout -k 5 "$hang_s" ./faulty "$call" "$path" "$nth" "$errno" "$@" >out 2>err
    status=$?
    [[ -e mark ]] || break
    [[ " $allowed " == *" $status "* ]] || { fail "'$last' ended with $status, not $allowed"; tail -n 5 out err; }
    if [[ $status -eq 0 ]]; then
      $check || { fail "'$last' has another result"; tail -n 5 out err; }
    else
      grep -q "^lockstep: .*$words" err || { fail "'$last' does not say why"; cat err; }
      [[ $(grep -c '^lockstep: [a-z/ ]*error: ' err) -eq 1 ]] || { fail "'$last' reports not one error"; cat err; }
    fi
    ! grep -iE 'damage|truncat|no intact|cannot find|missing' out err || fail "'$last' speaks of damage"
    ! grep -E 'was (moved|removed)' out err || fail "'$last' speaks of a folder that has moved"
  done
  [[ $nth -gt 1 ]] || fail "'$last': there is no such call"
}

# interrupted CALL PATH CHECK COMMAND...: every other call is interrupted, which is no error.
interrupted() {
  local call=$1 path=$2 check=$3
  shift 3
  rm -f mark
  prepare
  run 0 ./faulty "$call" "$path" -1 4 "$@"
  [[ -e mark ]] || fail "'$last': there is no such call"
  $check || fail "'$last' has another result"
}

# The run directory fails while a run writes it, and reads its best.h5 at the end. What an error leaves can be resumed.
prepare() { rm -rf folder; }
is_right() { [[ $(end_of folder) == "$right" ]]; }
for call in write fsync rename open mkdir list stat close; do
  sweep $call folder 5 '0 1' is_right "$lockstep" train toy.yaml -o folder "${steps[@]}"
done
sweep read folder 5 1 is_right "$lockstep" train toy.yaml -o folder "${steps[@]}"
for call in write fsync rename open mkdir close read; do
  interrupted $call folder is_right "$lockstep" train toy.yaml -o folder "${steps[@]}"
done
prepare
run 2 ./faulty open folder/best.h5 0 13 "$lockstep" train toy.yaml -o folder "${steps[@]}"
one_error
err_has "input error: .*folder/best.h5': Permission denied$"
for errno in 28:'No space left on device' 122:'Disk quota exceeded'; do
  prepare
  run 1 ./faulty fsync folder 5 ${errno%%:*} "$lockstep" train toy.yaml -o folder "${steps[@]}"
  one_error
  err_has "input/output error: .*folder/.*: ${errno#*:}$"
done

# Resuming: the newest checkpoint that cannot be read is not passed over.
run 0 "$lockstep" train toy.yaml -o begun "${steps[@]}" train.epochs=2 checkpoint.keep=2
prepare() { rm -rf folder && cp -r begun folder; }
resume=("$lockstep" train toy.yaml -o folder "${steps[@]}" --resume)
for call in read open stat list; do
  sweep $call folder 5 '0 1' is_right "${resume[@]}"
done
sweep open folder 24 '0 1' is_right "${resume[@]}"
prepare
run 2 ./faulty open checkpoint-4.h5 0 13 "${resume[@]}"
one_error
err_has "input error: .*folder/checkpoint-4.h5': Permission denied$"
interrupted read folder is_right "${resume[@]}"
interrupted open folder is_right "${resume[@]}"

# Reading: checkpoints, datasets and pictures.
prepare() { :; }
same() { cmp -s out expected; }
mv toy.h5 toy-images.h5
reads() {
  local path=$1
  shift
  run 0 "$@"
  mv out expected
  sweep read "$path" 5 1 same "$@"
  sweep read "$path" 116 1 same "$@"
  sweep open "$path" 5 1 same "$@"
  sweep open "$path" 13 2 same "$@"
  sweep open "$path" 24 1 same "$@"
  sweep stat "$path" 5 '0 1' same "$@"
}
reads whole/best.h5 "$lockstep" eval whole/best.h5 --json
reads -images "$lockstep" data info toy
reads -labels "$lockstep" data info toy
reads -images "$lockstep" data info toy-images.h5
reads whole/best.h5 "$lockstep" predict whole/best.h5 picture.png --json
sweep list toy 5 1 same "$lockstep" data info toy
sweep stat toy 5 1 same "$lockstep" data info toy
LOCKSTEP_DATA_PATH=$PWD sweep stat mnist 5 1 same "$lockstep" data info mnist
LOCKSTEP_DATA_PATH=$PWD sweep stat mnist 13 2 same "$lockstep" data info mnist
run 1 ./faulty read picture.png 1 5 "$lockstep" predict whole/best.h5 picture.png
err_has "picture.png': Input/output error"

# Data that were trained on with labels from 1, by another path: that it is the same place is not forgotten.
mkdir from-1
cp toy/*-images* from-1
python3 - <<'P'
for name in ("train-labels-idx1-ubyte", "t10k-labels-idx1-ubyte"):
    data = open(f"toy/{name}", "rb").read()
    open(f"from-1/{name}", "wb").write(data[:8] + bytes(label + 1 for label in data[8:]))
P
run 0 "$lockstep" train toy.yaml data.source=from-1 data.first_label=1 data.classes=4 -o numbered train.epochs=1
run 0 "$lockstep" eval numbered/best.h5 --data ./from-1 --json
mv out expected
sweep stat from-1 5 '0 1' same "$lockstep" eval numbered/best.h5 --data ./from-1 --json

# Other files in a folder of data do not matter; a file of the data that leads nowhere does.
run 0 "$lockstep" data info toy
mv out expected
echo other >toy/other
ln -s loop toy/loop
ln -s nothing toy/dangling
run 0 "$lockstep" data info toy
same || fail 'links that lead nowhere change the data'
run 0 ./faulty stat toy/other 0 13 "$lockstep" data info toy
same || fail 'a closed file that is none of the data changes them'
cp -r toy broken
ln -sf t10k-labels-idx1-ubyte broken/t10k-labels-idx1-ubyte
run 2 "$lockstep" data info broken
one_error
err_has "broken/t10k-labels-idx1-ubyte': Too many levels of symbolic links"

# Writing: what was there before stays until the new file is complete.
echo precious >kept
prepare() { cp kept output.h5; }
is_whole() { "$lockstep" data info output.h5 >/dev/null; }
for call in write fsync rename open close; do
  sweep $call output.h5 5 '0 1' is_whole "$lockstep" data import toy -o output.h5 --force
done
prepare
./faulty rename output.h5 1 5 "$lockstep" data import toy -o output.h5 --force >out 2>err
cmp -s kept output.h5 || fail 'a failed import has changed the old file'
[[ -z $(ls -A | grep 'output.h5.*tmp') ]] || fail "a failed import leaves $(ls -A)"
# Two imports at once: one that ends takes nothing from the other, whose file is whole and waits for its name.
prepare
rm -f mark
launch env -u OMPI_MCA_ess_singleton_isolated ./faulty rename output.h5 1 0 "$lockstep" data import toy -o output.h5 --force
await 'an import that waits' $pid test -e mark
"$lockstep" data import toy -o output.h5 --force >second.out 2>&1 || fail "the second import: $(cat second.out)"
rm mark
wait $pid || fail "an import is disturbed by another: $(cat err)"
is_whole || fail 'two imports at once leave no dataset'
prepare() { cp kept output.png; }
is_png() { [[ $(head -c 4 output.png | tail -c 3) == PNG ]]; }
for call in write fsync rename open close; do
  sweep $call output.png 5 '0 1' is_png "$lockstep" data preview toy -o output.png
done
finish
