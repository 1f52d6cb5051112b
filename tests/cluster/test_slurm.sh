#!/usr/bin/env bash
# The jobs of jobs/*.sbatch under a real Slurm of virtual nodes: launchers, requeues, a node that fails, arrays,
# ensembles. Skipped, saying so, where there can be no such Slurm.
#
#   bash tests/cluster/test_slurm.sh [--long]      --long: also a 3-minute training under a 1-minute time limit
source "$(dirname "$0")/../cli/lib.sh"
source "$root/tests/cluster/slurm.sh"
missing=$(slurm_missing)
if [[ -n "$missing" ]]; then echo "skipped: $missing"; exit 77; fi
trap 'slurm_down; rm -rf "$work"' EXIT
toy toy 333 101
toy_config 'reduction: exact'
cp -r "$root/jobs" .
export LOCKSTEP=$lockstep BIND=none HOLD_SECONDS=0
slurm_up 3 2 || { cat "$slurm_folder"/log/*; fail 'Slurm does not start'; finish; }

# submit ARG...: sbatch ARG...; sets job.
submit() {
  last="sbatch $*"
  say "$last"
  job=$(sbatch --parsable "$@") || { fail "$last"; return 1; }
}

# Jobs are what `await` waits for here.
is_there() { [[ $1 == - || -n $(job_state "$1") ]]; }
is_over() { ! is_there "$1"; }

# ended LOG: the job is over.
ended() {
  logs=("$1")
  await "end of job $job ($1)" - is_over "$job" || { squeue; scancel "$job"; }
}

# final_state JOB: how it ended, from the accounting that this Slurm has.
final_state() { sed -n "s/.*JobId=$1 .*JobState=\([A-Z_]*\).*/\1/p" "$slurm_folder/log/jobcomp.txt" | tail -n 1; }

# start NAME VARIABLES ARG...: a training into NAME, with its words in NAME.out, that waits at its first checkpoint.
start() {
  local name=$1 variables=$2
  shift 2
  waiting_program "$name"
  submit --nodes=2 --ntasks=2 --export="ALL,LOCKSTEP=$work/$name-lockstep,RUN_DIR=$name,$variables" --output="$name.out" "$@" \
    jobs/train.sbatch "${long[@]}"
}

# waiting_program NAME: NAME-lockstep, which waits at its first checkpoint for a signal, or until let_go NAME is called.
waiting_program() {
  hold_at 'checkpoint-*.h5' "$1"
  printf '#!/usr/bin/env bash\nexec %s %s "$@"\n' "${held[*]@Q}" "${lockstep@Q}" >"$1-lockstep"
  chmod +x "$1-lockstep"
}

# waits LOG RUN_DIR: the job has come to its first checkpoint.
has_checkpoint() { compgen -G "$1/checkpoint-*.h5" >/dev/null; }
waits() {
  logs=("$1")
  await "checkpoint in $2" "$job" has_checkpoint "$2"
}

# printed PATTERN LOG: the job has said so.
printed() {
  logs=("$2")
  await "'$1' of job $job ($2)" "$job" said "$1" "$2"
}

# warn NAME [TASK]: the job is warned of its end, and requeued; its next life does not wait.
warn() {
  scancel --batch --signal=USR1 "$job${2:+_$2}"
  printed 'requeued, to go on' "$1${2:+-$2}.out"
  let_go "$1"
}

# same LABEL RUN_DIR: the bits of the run that no scheduler has seen.
same() {
  [[ -s $2/summary.json ]] || { fail "$1: no summary"; grep -E '^(job|lockstep|srun|mpirun|slurm)|error' ./*.out; return; }
  [[ $(json "$2/summary.json" 'd["weights_digest"]') == "$expected" ]] || fail "$1: other weights"
}

run 0 "$lockstep" train toy.yaml -o plain
expected=$(json plain/summary.json 'd["weights_digest"]')

# Three nodes, four ranks, by both launchers; and what the topology says, without a number of tasks.
export CONFIG=toy.yaml
for launch in srun mpirun; do
  submit --nodes=2 --ntasks=4 --export="ALL,LAUNCH=$launch,RUN_DIR=by-$launch" --output="$launch.out" jobs/train.sbatch
  ended "$launch.out"
  same "$launch" "by-$launch"
  grep -q "4 ranks x 1 threads by $launch" "$launch.out" || { fail "$launch: another layout"; cat "$launch.out"; }
done
submit --export=ALL,RUN_DIR=chosen --output=chosen.out jobs/train.sbatch train.epochs=1
ended chosen.out
grep -qE '[12] ranks x [12] threads by srun' chosen.out || { fail 'another layout'; cat chosen.out; }

# Warned of its end, the job saves, requeues itself and goes on to the same bits.
long=(train.epochs=12 checkpoint.every_epochs=2)
run 0 "$lockstep" train toy.yaml -o plain-long "${long[@]}"
expected=$(json plain-long/summary.json 'd["weights_digest"]')
declare -A lives
for launch in srun mpirun; do
  start "warned-$launch" "LAUNCH=$launch"
  lives[warned-$launch]=$job
  waits "warned-$launch.out" "warned-$launch" && warn "warned-$launch"
  # A warning that comes before the ranks are there.
  start "early-$launch" "LAUNCH=$launch"
  lives[early-$launch]=$job
  printed 'life 1, on' "early-$launch.out" && warn "early-$launch"
done
for label in "${!lives[@]}"; do
  job=${lives[$label]}
  ended "$label.out"
  same "$label" "$label"
  grep -q 'life 2, on' "$label.out" || { fail "$label: no second life"; tail -n 30 "$label.out"; }
done
grep -q 'resuming from' warned-srun.out || { fail 'the second life starts anew'; cat warned-srun.out; }

# A warning that is held back does not come within seconds.
start held HOLD_SECONDS=1500
printed 'life 1, on' held.out && scancel --batch --signal=USR1 "$job"
waits held.out held && sleep 2
let_go held
ended held.out
same 'a warning held back' held
grep -q 'life 2, on' held.out && { fail 'ranks that start are warned'; cat held.out; }

# Whenever this job begins, its own clock says that it must end.
start clock STOP_SECONDS=3600,MAX_RESTARTS=1
ended clock.out
grep -q 'not requeued: MAX_RESTARTS=1' clock.out || { fail "the script's own clock does not stop the job"; cat clock.out; }

# So does a task of an array, and the others do not notice.
waiting_program cut-array
submit --array=1-2 --export="ALL,LOCKSTEP=$work/cut-array-lockstep,RUN_DIR=cut-array,COMBINE=no" --output='cut-array-%a.out' \
  jobs/ensemble_array.sbatch "${long[@]}"
waits cut-array-2.out cut-array/member-2
waits cut-array-1.out cut-array/member-1 && warn cut-array 1
ended cut-array-1.out
same 'a task of an array' cut-array/member-1
grep -q 'life 2, on' cut-array-1.out || { fail 'a task of an array is not requeued'; tail -n 30 cut-array-1.out; }
grep -q 'life 2, on' cut-array-2.out && fail 'another task is requeued'

# A node loses its power in mid-run; Slurm requeues the job, which goes on with the others.
start crashed ''
if waits crashed.out crashed; then
  node=$(squeue -h -j "$job" -o %N | sed 's/h\[*[0-9]*[,-]//; s/\]//')
  slurm_node_kill "h${node#h}"
fi
let_go crashed
ended crashed.out
same 'a node that crashes' crashed
grep -q 'life 2, on' crashed.out || { fail 'the job has not survived a node'; tail -n 30 crashed.out; }
[[ -z "${node:-}" ]] || slurm_node_up "h${node#h}"

# A rank is killed, and the node keeps what a killed life has left: the job tries once more.
start killed '' --nodelist=h1,h2
killed=$job
if waits killed.out killed; then
  for pid in $(slurm_node_pids h2); do [[ $(<"/proc/$pid/comm") == lockstep ]] && kill -9 "$pid"; done
fi
let_go killed
submit --hold --nodes=1 --ntasks=1 --nodelist=h3 --export=ALL,RUN_DIR=leftover --output=leftover.out jobs/train.sbatch "${long[@]}"
slurm_leave_socket h3 "$job" && scontrol release "$job"
for label in leftover killed; do
  ended "$label.out"
  same "$label" "$label"
  grep -q 'once more' "$label.out" || { fail "$label: not once more"; tail -n 30 "$label.out"; }
  job=$killed
done

# An array with a last job that combines, and an ensemble in one allocation: the same members. One may fail.
submit --array=1-3 --export=ALL,RUN_DIR=array --output='array-%a.out' jobs/ensemble_array.sbatch data.validation=0.1
submit --nodes=2 --ntasks=3 --export=ALL,RUN_DIR=together,MEMBERS=3 --output=together.out jobs/ensemble.sbatch data.validation=0.1
ended together.out
nothing_queued() { local jobs; jobs=$(squeue -h 2>/dev/null) && [[ -z $jobs ]]; }
logs=(array-*.out ensemble-combine-*.out)
await 'end of the job that combines' - nothing_queued
for m in 1 2 3; do
  holds "member $m" 'd[0]["weights_digest"] == d[1]["weights_digest"]' "array/member-$m/summary.json" "together/member-$m/summary.json"
done
holds 'one vote' '[d[0]["ensemble"][k] == d[1]["ensemble"][k] for k in ("soft", "hard", "weighted", "gain")] == 4 * [True]' \
  array/ensemble.json together/ensemble.json
mkdir -p lame/member-2 && cp -r array/member-1 lame/
submit --output=lame.out jobs/ensemble_combine.sbatch lame 2
ended lame.out
grep -q 'only 1 of 2 members have finished' lame.out || { fail 'a member that failed is not missed'; cat lame.out; }
[[ $(final_state "$job") == FAILED ]] || fail "a lame ensemble is $(final_state "$job")"

# Attack and scaling, and mistakes.
submit --ntasks=2 --export=ALL,CHECKPOINT=plain/checkpoint-18.h5,OUT=attacked --output=attack.out jobs/attack.sbatch
ended attack.out
[[ -s attacked/results.json ]] || { fail 'no attack'; cat attack.out; }
submit --export=ALL,LOCKSTEP=nothing --output=nothing.out jobs/train.sbatch
ended nothing.out
grep -q 'no program nothing' nothing.out || { fail 'a missing program is not reported'; cat nothing.out; }

if [[ ${1:-} == --long ]]; then
  hours=(data.source=fashion-mnist train.reduction=exact train.epochs=90)
  timeout 900 "$lockstep" train "$root/configs/lenet5.yaml" -o plain-hours "${hours[@]}" >/dev/null ||
    fail 'the long training alone'
  expected=$(json plain-hours/summary.json 'd["weights_digest"]')
  for launch in srun mpirun; do
    submit --nodes=2 --ntasks=2 --time=1 --output="hours-$launch.out" \
      --export="ALL,HOLD_SECONDS=30,LAUNCH=$launch,CONFIG=$root/configs/lenet5.yaml,RUN_DIR=hours-$launch" \
      jobs/train.sbatch "${hours[@]}"
    started=$SECONDS
    hang_s=3000 ended "hours-$launch.out"
    same "a long training by $launch" "hours-$launch"
    echo "$launch: $(grep -c ', life ' "hours-$launch.out") lives; $(json "hours-$launch/summary.json" 'd["seconds"]') s of" \
      "training; from the first life to the end: $((SECONDS - started)) s"
  done
fi
finish
