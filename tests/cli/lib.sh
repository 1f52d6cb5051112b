# Sourced by the tests of the program as a user runs it. Each test works in a temporary folder of its own.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
lockstep=$(realpath "${LOCKSTEP:-$root/build/release/lockstep}") # tests work in folders of their own
work=$(realpath "$(mktemp -d)")
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
export OMP_NUM_THREADS=1
unset LOCKSTEP_MIRROR
failures=0

# Nothing here depends on the machine's speed: what is to be damaged or stopped waits for it (hold_at) or does not end by
# itself (endless), what is to be seen is waited for (await), and limits in seconds are for what hangs alone.
hang_s=${LS_TEST_TIMEOUT:-500}
endless=train.epochs=1000000000
abort_s=15 # train.stall_abort: longer than a disk under load takes for a sync, so that jobs come to where their test begins

fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}

# say TEXT: what is done now, and since when; a test that is ended by force has said where it was.
say() { echo "after $SECONDS s: $*" >&2; }

# run STATUS COMMAND...: run, keep output in out and err, and check the exit status.
run() {
  local expected=$1 status
  shift
  last="$*"
  say "$last"
  timeout --verbose -k 5 "$hang_s" "$@" >out 2>err
  status=$?
  if [[ $status -ne $expected ]]; then
    fail "'$last' ended with $status, not $expected"
    tail -n 20 out err
  fi
}

# launch COMMAND...: run in the background, with output in out and err; pid is that of what waits for it.
launch() {
  last="$*"
  say "$last"
  : >out
  : >err # at once: what the last run has said is not waited for
  timeout --verbose -k 5 "$hang_s" "$@" >out 2>err &
  pid=$!
}

# ranks N STATUS COMMAND...: run under mpirun.
ranks() {
  local count=$1 expected=$2
  shift 2
  run "$expected" "$root/tests/mpirun.sh" "$count" "$@"
}

# out_has PATTERN, err_has PATTERN: an extended regular expression on a line of the last run's output.
out_has() { grep -qE -- "$1" out || { fail "'$last' does not print: $1"; tail -n 20 out; }; }
err_has() { grep -qE -- "$1" err || { fail "'$last' does not say: $1"; tail -n 20 err; }; }

# one_error: the last run printed one error line of ours, and no noise before it.
one_error() {
  local ours
  ours=$(grep -c '^lockstep' err)
  [[ $ours -eq 1 ]] || { fail "'$last' prints $ours errors, not 1"; cat err; }
  head -n 1 err | grep -q '^lockstep' || { fail "'$last' has noise before its error"; cat err; }
}

# is_there PROCESS: whether it is running; -: none that could end.
is_there() { [[ $1 == - ]] || kill -0 "$1" 2>/dev/null; }

# await WHAT PROCESS COMMAND...: wait until COMMAND succeeds, as long as PROCESS is there; if it does not come to that, show
# the end of the files in `logs`.
logs=(out err)
await() {
  local what=$1 process=$2 began=$SECONDS gone=''
  shift 2
  say "waiting for $what"
  until "$@"; do
    if [[ -n $gone || $((SECONDS - began)) -ge $hang_s ]]; then
      fail "waited for $what in vain, $((SECONDS - began)) s${gone:+; $process has ended}${last:+; last: '$last'}"
      tail -n 30 "${logs[@]}"
      return 1
    fi
    is_there "$process" || gone=yes # and look once more
    sleep 0.05
  done
}

# said PATTERN [FILE]: whether an extended regular expression is on a line of FILE, the errors of the last run.
said() { grep -qsE -- "$1" "${2:-err}"; }

# preloaded NAME: the library made of preload/NAME.c, which lies beside the program.
preloaded() { echo "$(dirname "$lockstep")/tests/$1.so"; }

# hold_at PATTERN RUN: put ${held[@]} before a program, and it waits where a file of a name like PATTERN has just been
# written, or such a folder is to be opened, until a signal reaches it, or let_go RUN is called (preload/hold.c).
hold_at() {
  local library
  library=$(preloaded hold)
  [[ -e $library ]] || { fail "no $library: build the tests"; finish; }
  touch "$work/$2.hold"
  held=(env LD_PRELOAD="$library" ASAN_OPTIONS=verify_asan_link_order=0 LS_HOLD="$work/$2.hold" LS_HOLD_AT="$1")
}

let_go() { rm "$work/$1.hold"; }

# ranks_of RUN_DIR: the processes of a training of this test, rank 0 first.
ranks_of() {
  local pid
  for pid in $(pgrep -f "^$lockstep train .*-o $1( |$)"); do
    [[ $(readlink "/proc/$pid/cwd") == "$work" ]] || continue
    echo "$(tr '\0' '\n' <"/proc/$pid/environ" | sed -n 's/^OMPI_COMM_WORLD_RANK=//p') $pid"
  done | sort -n | sed 's/.* //'
}

# epochs_done RUN_DIR: which its table has; 0 if there is none yet.
epochs_done() {
  [[ -e $1/metrics.csv ]] || { echo 0; return; }
  echo $(($(grep -c . "$1/metrics.csv") - 1))
}

# newest_step RUN_DIR: the step of its newest checkpoint; 0 if there is none.
newest_step() {
  local newest
  newest=$(ls -v "$1"/checkpoint-*.h5 2>/dev/null | tail -n 1)
  newest=${newest##*/checkpoint-}
  echo "${newest:-0.h5}" | sed 's/\.h5$//'
}

# stopped_in_order STATUS RUN_DIR STEP: a run that was asked to stop has ended with status 75, and has saved the step
# that it names, which is beyond the newest one of before.
stopped_in_order() {
  local status=$1 dir=$2 before=$3 said
  [[ $status -eq 75 ]] || { fail "'$last' ended with $status, not 75"; tail -n 20 err; }
  err_has 'stopped on request after step [0-9]+'
  said=$(sed -nE 's/.*stopped on request after step ([0-9]+).*/\1/p' err)
  [[ $(newest_step "$dir") == "$said" && ${said:-0} -gt $before ]] ||
    fail "'$last' says step '$said', has saved $(newest_step "$dir"), and before that $before"
}

# json FILE EXPRESSION: a value of a JSON file, by a Python expression on d.
json() { python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$1" "$2"; }

# holds DESCRIPTION EXPRESSION FILE...: a Python expression over d, the list of the files' JSON documents.
holds() {
  local what=$1 expression=$2
  shift 2
  python3 -c 'import json,sys; d=[json.load(open(f)) for f in sys.argv[2:]]; sys.exit(not eval(sys.argv[1]))' \
    "$expression" "$@" || { fail "$what: $expression"; }
}

# snippet HEADING WORD FILE: the piece of Python below a heading of README that has this word.
snippet() {
  sed -n "/^### $1\$/,/^### /p" "$root/README.md" |
    awk -v word="$2" '/^```python$/ {inside = 1; text = ""; next} /^```$/ {if (inside && index(text, word)) printf "%s", text; inside = 0}
      inside {text = text $0 "\n"}' >"$3"
  [[ -s $3 ]] || fail "README has no Python with $2 below '$1'"
}

# toy FOLDER TRAIN TEST: an IDX dataset of four easily distinguished classes, 12 x 12 pixels.
toy() {
  python3 - "$@" <<'P'
import gzip, random, struct, sys
folder, train, test = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
import os
os.makedirs(folder, exist_ok=True)
def write(prefix, count, seed):
    r = random.Random(seed)
    labels = bytes(r.randrange(4) for _ in range(count))
    images = bytearray()
    for label in labels:
        row, column = 6 * (label // 2), 6 * (label % 2)
        for i in range(12):
            for j in range(12):
                inside = row <= i < row + 6 and column <= j < column + 6
                images.append(min(255, max(0, int((150 if inside else 40) + r.gauss(0, 40)))))
    with gzip.open(f"{folder}/{prefix}-images-idx3-ubyte.gz", "wb", 1) as f:
        f.write(struct.pack(">IIII", 0x803, count, 12, 12) + images)
    with open(f"{folder}/{prefix}-labels-idx1-ubyte", "wb") as f:
        f.write(struct.pack(">II", 0x801, count) + labels)
write("train", train, 1)
write("t10k", test, 2)
P
}

# toy_config [LINE...]: a small network for it, in toy.yaml; lines are appended to the train section.
toy_config() {
  cat >toy.yaml <<Y
name: toy
data: {source: toy, validation: 0.2}
model:
  layers:
    - {type: conv, name: conv1, filters: 5, kernel: 3}
    - {type: batchnorm}
    - {type: relu}
    - {type: maxpool, size: 2}
    - {type: flatten}
    - {type: dense, name: fc, units: 4}
train:
  epochs: 3
  batch: 50
  microbatch: 8
  optimizer: {type: sgd, lr: 0.05, momentum: 0.9}
Y
  local line
  for line in "$@"; do echo "  $line" >>toy.yaml; done
}

# picture FILE: a PNG of 12 x 12 pixels, a white square in its corner.
picture() {
  python3 - "$1" <<'P'
import struct, sys, zlib
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
rows = b"".join(b"\0" + bytes(255 if r < 6 and c < 6 else 0 for c in range(12)) for r in range(12))
with open(sys.argv[1], "wb") as f:
    f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 12, 12, 8, 0, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
P
}

# make_faulty: make ./faulty, as in "./faulty CALL PATH NTH ERRNO COMMAND...": a command in which a call of the system
# fails (see preload/faulty.c).
make_faulty() {
  [[ -e $(preloaded faulty) ]] || { fail "no $(preloaded faulty): build the tests"; finish; }
  cat >faulty <<S
#!/bin/sh
export FAULTY_CALL="\$1" FAULTY_PATH="\$2" FAULTY_NTH="\$3" FAULTY_ERRNO="\$4" FAULTY_MARK="$work/mark"
shift 4
LD_PRELOAD="$(preloaded faulty)" ASAN_OPTIONS="\${ASAN_OPTIONS:+\$ASAN_OPTIONS:}verify_asan_link_order=0" exec "\$@"
S
  chmod +x faulty
}

finish() {
  [[ $failures -eq 0 ]] || { echo "$failures failures"; exit 1; }
  echo "all as expected"
}
