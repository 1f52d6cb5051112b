#!/usr/bin/env bash
# Signals that ask a command to end: one line, an exit status of its own, and a terminal's line left clean.
source "$(dirname "$0")/lib.sh"
toy toy 333 20
toy_config
run 0 "$lockstep" train toy.yaml -o net train.epochs=1

# ended STATUS LINE: the command that was launched ends so, and prints this line of ours and no other.
ended() {
  local status
  wait $pid
  status=$?
  [[ $status -eq $1 ]] || { fail "'$last' ended with $status, not $1"; tail -n 20 err; }
  [[ $(grep -c '^lockstep: ' err) -eq 1 ]] || { fail "'$last' prints another number of lines than one"; cat err; }
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
at_data TERM 143 "ended on request \(SIGTERM\), $at_end" train toy.yaml --dry-run
at_data USR1 138 "ended on request \(SIGUSR1\), $at_end" train toy.yaml --dry-run ensemble.members=2

# unfinished SIGNAL STATUS NAME COMMAND ARG...: the command gets a signal when a file is complete but for its NAME, and
# leaves nothing of it.
unfinished() {
  local signal=$1 status=$2 name=$3
  shift 3
  hold_at ".$name.????????.tmp" naming
  launch "${launcher[@]}" "${held[@]}" "$lockstep" "$@"
  await "$name to be named" $pid test -e naming.hold.reached
  rm naming.hold.reached
  [[ -n $(find . -name ".$name.*.tmp") ]] || fail "'$last' has no temporary file for $name"
  kill "-$signal" $(process_of "$1")
  ended "$status" "ended on request \(SIG$signal\), $at_end"
  [[ -z $(find . -name "*$name*") ]] || fail "'$last' has left $(find . -name "*$name*")"
}
launcher=()
unfinished INT 130 toy.h5 data import toy -o toy.h5
unfinished TERM 143 toy.png data preview toy -o toy.png
unfinished HUP 129 rows.csv eval net/checkpoint-6.h5 --predictions rows.csv
unfinished TERM 143 adversarial-0.1.h5 attack net/checkpoint-6.h5 --method fgsm --epsilon 0.1 -o attacked
launcher=("$root/tests/mpirun.sh" 2)
unfinished TERM 143 scaling.h5 scale toy.yaml --seconds 0.01 -o study

# A training is asked while it opens its data, and ends with the checkpoint of its first step.
at_data INT 75 'stopped on request after step 1 ' train toy.yaml -o loading "$endless"
[[ $(newest_step loading) -eq 1 ]] || fail "checkpoints: $(ls loading)"

# There is nothing to save any more: the summary has been written and the vote begins, or it is to be written.
hold_at summary.json written
launch "${held[@]}" "$lockstep" train toy.yaml -o written train.epochs=1
await 'its summary' $pid test -e written/summary.json
kill -TERM "$(ranks_of written)"
ended 143 "ended on request \(SIGTERM\), $at_end"
hold_at ensemble.json vote
launch "${held[@]}" "$lockstep" train toy.yaml -o vote train.epochs=1 ensemble.members=2
await 'its vote' $pid test -e vote/ensemble.json
kill -TERM "$(ranks_of vote)"
ended 143 "ended on request \(SIGTERM\), $at_end"

# A request that comes after the last step is obeyed before the summary.
hold_at 'checkpoint-6.h5' late
launch "${held[@]}" "$lockstep" train toy.yaml -o late train.epochs=1
await 'its last checkpoint' $pid test -e late/checkpoint-6.h5
kill -TERM "$(ranks_of late)"
ended 143 "ended on request \(SIGTERM\), $at_end"
[[ ! -e late/summary.json ]] || fail 'a request after the last step is obeyed after the summary'
run 0 "$lockstep" train --resume -o late

# The same by the signal of a terminal that goes away; under nohup it is none, and so is any that is ignored.
launch "$lockstep" train toy.yaml -o hangup "$endless"
await 'the first epoch' $pid test -e hangup/metrics.csv
kill -HUP "$(ranks_of hangup)"
ended 75 'stopped on request after step [0-9]+ '
hold_at 'checkpoint-6.h5' deaf
launch env -- bash -c 'trap "" HUP INT TERM USR1; exec "$@"' _ "${held[@]}" "$lockstep" train toy.yaml -o deaf
await 'its first checkpoint' $pid test -e deaf/checkpoint-6.h5
for signal in HUP INT TERM USR1; do kill "-$signal" "$(ranks_of deaf)"; done
let_go deaf
wait $pid
[[ $? -eq 0 && ! -s err ]] || { fail 'a signal that is ignored ends a training'; cat err; }

# Ctrl-C twice, while a checkpoint that is not the first is written: at once, with a line.
python3 - "$lockstep" "$(preloaded hold)" "$work" "$hang_s" <<'P' || fail 'Ctrl-C on a terminal'
import atexit, os, pty, re, select, signal, sys, time
lockstep, hold, work, hang_s = sys.argv[1:]
limit = time.monotonic() + float(hang_s)
running = set()

# A child that is left waits for good.
@atexit.register
def kill_running():
    for pid in running: os.kill(pid, signal.SIGKILL)

def start(*arguments, **variables):
    pid, terminal = pty.fork()
    if pid == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # who runs the tests may ignore it
        os.execve(lockstep, [lockstep, *arguments], {**os.environ, **variables})
    running.add(pid)
    return pid, terminal

# What comes next; nothing: the end.
def read(terminal, seen):
    if not select.select([terminal], [], [], max(0, limit - time.monotonic()))[0]:
        sys.exit(f"waited for {hang_s} s in vain: {seen[-2000:]}")
    try: return os.read(terminal, 65536)
    except OSError: return b""

def read_until(terminal, pattern, seen=b""):
    while not re.search(pattern, seen):
        part = read(terminal, seen)
        if not part: sys.exit(f"ended before {pattern}: {seen[-2000:]}")
        seen += part
    return seen

def rest(terminal, seen):
    while part := read(terminal, seen): seen += part
    return seen

def end_of(pid):
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    running.remove(pid)
    return status

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
status = end_of(pid)
check(f"status {status}", status == 75, lines)
ours = [l for l in lines if "lockstep:" in l]
check("lines", len(ours) == 2 and all(l.startswith("lockstep: ") for l in ours), lines)
check("asked", "asked to stop (SIGINT)" in ours[0] and "stopped on request after step" in ours[1], lines)

# Twice, while it cannot come to a checkpoint: here, at the opening of its data.
open(work + "/twice.hold", "w").close()
pid, terminal = start("train", "toy.yaml", "-o", "twice", LD_PRELOAD=hold, ASAN_OPTIONS="verify_asan_link_order=0",
                      LS_HOLD=work + "/twice.hold", LS_HOLD_AT="toy", LS_HOLD_DEAF="1")
while not os.path.exists(work + "/twice.hold.reached"):
    if time.monotonic() > limit: sys.exit("the data is not opened")
    time.sleep(0.01)
os.write(terminal, b"\x03")
seen = read_until(terminal, rb"asked to stop")
os.write(terminal, b"\x03")
lines = shown(rest(terminal, seen))
status = end_of(pid)
check(f"status {status}", status == 130, lines)
check("lines", any(l == "lockstep: ended on request (SIGINT), at once: what came after the last checkpoint is lost"
                   for l in lines), lines)
P

# Two ranks that open their data: rank 0 reports it, once, if the launcher lets it, as it does where it passes the
# signal on; where another rank alone has got it, the launcher ends rank 0, which may report that.
# job SIGNAL PROCESS STATUS_PATTERN LEAST_LINES
job() {
  local status lines
  hold_at toy job
  launch "$root/tests/mpirun.sh" 2 "${held[@]}" "$lockstep" bench toy.yaml
  await 'the data to be opened' $pid test -e job.hold.reached
  rm job.hold.reached
  kill "-$1" "$($2)"
  wait $pid
  status=$?
  [[ $status =~ ^($3)$ ]] || { fail "'$last' ended with $status after SIG$1, not $3"; cat err; }
  lines=$(grep -c '^lockstep: ' err)
  [[ $lines -ge $4 && $lines -le 1 ]] || { fail "SIG$1 is reported $lines times"; cat err; }
  grep '^lockstep: ' err | grep -vE "ended on request \(SIG[A-Z0-9]+\), $at_end" && fail "other lines after SIG$1"
}
of_launcher() { pgrep -f "^mpirun -n 2 env LD_PRELOAD=.*LS_HOLD=$work/"; }
of_rank() {
  local process
  for process in $(process_of bench); do
    tr '\0' '\n' <"/proc/$process/environ" | grep -qx 'OMPI_COMM_WORLD_RANK=1' && echo "$process"
  done
}
job INT of_launcher '1|130' 0 # by the version of Open MPI
job USR1 of_launcher 138 1
job TERM of_rank 143 0
finish
