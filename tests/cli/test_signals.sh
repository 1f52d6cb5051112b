#!/usr/bin/env bash
# Signals that ask a command to end: one line, an exit status of its own, and a terminal's line left clean.
source "$(dirname "$0")/lib.sh"
toy toy 333 20
toy_config
run 0 "$lockstep" train toy.yaml -o net train.epochs=1

# ended STATUS LINE: the command that was launched ends so, and tells this line of ours and no other.
ended() {
  local status
  wait $pid
  status=$?
  [[ $status -eq $1 ]] || { fail "'$last' ended with $status, not $1"; tail -n 20 err; }
  [[ $(grep -c '^lockstep: ' err) -eq 1 ]] || { fail "'$last' tells another number of lines than one"; cat err; }
  err_has "^lockstep: $2"
}

# process_of WORD: of the program that runs such a command here.
process_of() {
  local process
  for process in $(pgrep -f "^$lockstep $1 "); do
    [[ $(readlink "/proc/$process/cwd") == "$work" ]] && echo "$process"
  done
}

# at_data SIGNAL STATUS LINE COMMAND ARG...: the command gets a signal while it opens its data.
at_data() {
  local signal=$1 status=$2 line=$3
  shift 3
  hold_at toy opening
  launch "${held[@]}" "$lockstep" "$@"
  await 'the data to be opened' $pid test -e opening.hold.reached
  rm opening.hold.reached
  await 'its process' $pid test -n "$(process_of "$1")"
  kill "-$signal" "$(process_of "$1")"
  ended "$status" "$line"
}

at_end='before it was done$'
at_data INT 130 "ended on request \(SIGINT\), $at_end" eval net/checkpoint-6.h5
at_data TERM 143 "ended on request \(SIGTERM\), $at_end" attack net/checkpoint-6.h5 --method fgsm --epsilon 0.1
at_data HUP 129 "ended on request \(SIGHUP\), $at_end" bench toy.yaml
at_data INT 130 "ended on request \(SIGINT\), $at_end" data import toy -o toy.h5
[[ ! -e toy.h5 ]] || fail 'an import that was ended has left its file'
at_data INT 130 "ended on request \(SIGINT\), $at_end" data preview toy -o toy.png

# A training is asked while it opens its data, and ends with the checkpoint of its first step.
at_data INT 75 'stopped on request after step 1 ' train toy.yaml -o loading "$endless"
[[ $(newest_step loading) -eq 1 ]] || fail "checkpoints: $(ls loading)"

# The same by the signal of a terminal that goes away; under nohup it is none.
launch "$lockstep" train toy.yaml -o hangup "$endless"
await 'the first epoch' $pid test -e hangup/metrics.csv
kill -HUP "$(ranks_of hangup)"
ended 75 'stopped on request after step [0-9]+ '
hold_at 'checkpoint-6.h5' deaf
launch env -- bash -c 'trap "" HUP; exec "$@"' _ "${held[@]}" "$lockstep" train toy.yaml -o deaf
await 'its first checkpoint' $pid test -e deaf/checkpoint-6.h5
kill -HUP "$(ranks_of deaf)"
let_go deaf
wait $pid
[[ $? -eq 0 && ! -s err ]] || { fail 'a signal that is ignored ends a training'; cat err; }

# Ctrl-C twice, while a checkpoint that is not the first is written: at once, with a line.
python3 - "$lockstep" "$(preloaded hold)" "$work" <<'P' || fail 'Ctrl-C on a terminal'
import os, pty, re, signal, sys, time
lockstep, hold, work = sys.argv[1:]
limit = time.time() + 120

def start(*arguments, **variables):
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(lockstep, [lockstep, *arguments], {**os.environ, **variables})
    return pid, terminal

def read_until(terminal, pattern, seen=b""):
    while not re.search(pattern, seen):
        if time.time() > limit: sys.exit(f"waited for {pattern} in vain: {seen[-2000:]}")
        try: part = os.read(terminal, 65536)
        except OSError: part = b""
        if not part: sys.exit(f"ended before {pattern}: {seen[-2000:]}")
        seen += part
    return seen

def rest(terminal, seen):
    try:
        while part := os.read(terminal, 65536): seen += part
    except OSError: pass
    return seen

# What a terminal shows in the end: carriage returns overwrite.
def shown(data):
    lines = []
    for line in data.decode().replace("\r\n", "\n").split("\n"):
        cells = []
        for part in line.split("\r"):
            cells[:len(part)] = part
        lines.append("".join(cells).rstrip())
    return lines

def check(what, condition, lines):
    if not condition: sys.exit(what + ":\n" + "\n".join(lines))

# The bar stands; the first Ctrl-C asks, and the training ends with a checkpoint.
pid, terminal = start("train", "toy.yaml", "-o", "bar", "train.epochs=1000000000")
seen = read_until(terminal, rb"\r.*\[=*>")
os.write(terminal, b"\x03")
lines = shown(rest(terminal, seen))
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
check(f"status {status}", status == 75, lines)
ours = [l for l in lines if "lockstep:" in l]
check("lines", len(ours) == 2 and all(l.startswith("lockstep: ") for l in ours), lines)
check("asked", "asked to stop (SIGINT)" in ours[0] and "stopped on request after step" in ours[1], lines)

# Twice, while it cannot come to a checkpoint: here, at the opening of its data.
open(work + "/twice.hold", "w").close()
pid, terminal = start("train", "toy.yaml", "-o", "twice", LD_PRELOAD=hold, ASAN_OPTIONS="verify_asan_link_order=0",
                      LS_HOLD=work + "/twice.hold", LS_HOLD_AT="toy", LS_HOLD_DEAF="1")
while not os.path.exists(work + "/twice.hold.reached"):
    if time.time() > limit: sys.exit("the data is not opened")
    time.sleep(0.01)
os.write(terminal, b"\x03")
seen = read_until(terminal, rb"asked to stop")
os.write(terminal, b"\x03")
lines = shown(rest(terminal, seen))
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
check(f"status {status}", status == 130, lines)
check("lines", any(l == "lockstep: ended on request (SIGINT), at once: what came after the last checkpoint is lost"
                   for l in lines), lines)
P

# Two ranks that open their data: whoever gets the signal, rank 0 tells of it, once, if the launcher lets it.
job() {
  hold_at toy job
  launch "$root/tests/mpirun.sh" 2 "${held[@]}" "$lockstep" bench toy.yaml
  await 'the data to be opened' $pid test -e job.hold.reached
  rm job.hold.reached
  kill "-$1" "$($2)"
  wait $pid && fail "'$last' ended with 0 after SIG$1"
  [[ $(grep -c '^lockstep: ' err) -le 1 ]] || { fail "SIG$1 is told more than once"; cat err; }
  grep '^lockstep: ' err | grep -vE "ended on request \(SIG[A-Z0-9]+\), $at_end" && fail "other lines after SIG$1"
}
of_launcher() { pgrep -f "^mpirun -n 2 env LD_PRELOAD=.*LS_HOLD=$work/"; }
of_rank() { process_of bench | tail -n 1; }
job INT of_launcher
job USR1 of_launcher
job TERM of_rank
finish
