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
  job=$(sbatch --parsable "$@") || { fail "sbatch $*"; return 1; }
}

# ended SECONDS LOG...: the job is over; shows its output after a failure.
ended() {
  local seconds=$1
  job_wait "$job" "$seconds" GONE || { fail "job $job does not end"; tail -n 30 "${@:2}"; scancel "$job"; }
}

# state LOG: how the job ended, from the accounting that this Slurm has.
final_state() { sed -n "s/.*JobId=$1 .*JobState=\([A-Z_]*\).*/\1/p" "$slurm_folder/log/jobcomp.txt" | tail -n 1; }

# wait_file PATTERN: until a file is there, a minute at most.
wait_file() {
  local t
  for ((t = 0; t < 600; t++)); do
    compgen -G "$1" >/dev/null && return 0
    sleep 0.1
  done
  fail "no $1"
  return 1
}

# wait_line FILE TEXT: until it is in a file, a minute at most.
wait_line() {
  local t
  for ((t = 0; t < 600; t++)); do
    grep -qs "$2" "$1" && return 0
    sleep 0.1
  done
  fail "no '$2' in $1"
  return 1
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
  ended 60 "$launch.out"
  same "$launch" "by-$launch"
  grep -q "4 ranks x 1 threads by $launch" "$launch.out" || { fail "$launch: another layout"; cat "$launch.out"; }
done
submit --export=ALL,RUN_DIR=chosen --output=chosen.out jobs/train.sbatch train.epochs=1
ended 60 chosen.out
grep -qE '[12] ranks x [12] threads by srun' chosen.out || { fail 'another layout'; cat chosen.out; }

# Warned of its end, the job saves, requeues itself and goes on to the same bits.
run 0 "$lockstep" train toy.yaml -o plain-long train.epochs=300 checkpoint.every_epochs=20
expected=$(json plain-long/summary.json 'd["weights_digest"]')
long=(train.epochs=300 checkpoint.every_epochs=20)
declare -A lives
for launch in srun mpirun; do
  submit --nodes=2 --ntasks=2 --export="ALL,LAUNCH=$launch,RUN_DIR=warned-$launch" --output="warned-$launch.out" \
    jobs/train.sbatch "${long[@]}"
  wait_file "warned-$launch/checkpoint-*.h5" && scancel --batch --signal=USR1 "$job"
  lives[warned-$launch]=$job
  # A warning that comes before the ranks are there.
  submit --nodes=2 --ntasks=2 --export="ALL,LAUNCH=$launch,RUN_DIR=early-$launch" --output="early-$launch.out" \
    jobs/train.sbatch "${long[@]}"
  wait_line "early-$launch.out" 'life 1, on' && scancel --batch --signal=USR1 "$job"
  lives[early-$launch]=$job
done
submit --nodes=2 --ntasks=2 --export=ALL,HOLD_SECONDS=60,RUN_DIR=held --output=held.out jobs/train.sbatch "${long[@]}"
wait_line held.out 'life 1, on' && scancel --batch --signal=USR1 "$job"
held=$job
submit --nodes=2 --ntasks=2 --export=ALL,STOP_SECONDS=3600,MAX_RESTARTS=1,RUN_DIR=clock --output=clock.out jobs/train.sbatch \
  "${long[@]}"
clock=$job
for label in "${!lives[@]}"; do
  job=${lives[$label]}
  ended 120 "$label.out"
  same "$label" "$label"
  for said in 'requeued, to go on' 'life 2, on'; do
    grep -q "$said" "$label.out" || { fail "$label: no '$said'"; tail -n 30 "$label.out"; }
  done
done
job=$held
ended 60 held.out
same 'a warning held back' held
grep -q 'life 2, on' held.out && { fail 'ranks that start are warned'; cat held.out; }
job=$clock
ended 60 clock.out
grep -q 'not requeued: MAX_RESTARTS=1' clock.out || { fail "the script's own clock does not stop the job"; cat clock.out; }
grep -q 'resuming from' warned-srun.out || { fail 'the second life starts anew'; cat warned-srun.out; }

# So does a task of an array, and the others do not notice.
submit --array=1-2 --export=ALL,RUN_DIR=cut-array,COMBINE=no --output='cut-array-%a.out' jobs/ensemble_array.sbatch "${long[@]}"
wait_file 'cut-array/member-1/checkpoint-*.h5' && scancel --batch --signal=USR1 "${job}_1"
ended 90 cut-array-1.out
same 'a task of an array' cut-array/member-1
grep -q 'life 2, on' cut-array-1.out || { fail 'a task of an array is not requeued'; tail -n 30 cut-array-1.out; }
grep -q 'life 2, on' cut-array-2.out && fail 'another task is requeued'

# A node loses its power in mid-run; Slurm requeues the job, which goes on with the others.
submit --nodes=2 --ntasks=2 --export=ALL,RUN_DIR=crashed --output=crashed.out jobs/train.sbatch "${long[@]}"
if wait_file 'crashed/checkpoint-*.h5'; then
  node=$(squeue -h -j "$job" -o %N | sed 's/h\[*[0-9]*[,-]//; s/\]//')
  slurm_node_kill "h${node#h}"
fi
ended 120 crashed.out
same 'a node that crashes' crashed
grep -q 'life 2, on' crashed.out || { fail 'the job has not survived a node'; tail -n 30 crashed.out; }
[[ -z "${node:-}" ]] || slurm_node_up "h${node#h}"

# A rank is killed, and the node keeps what a killed life has left: the job tries once more.
submit --nodes=2 --ntasks=2 --nodelist=h1,h2 --export=ALL,RUN_DIR=killed --output=killed.out jobs/train.sbatch "${long[@]}"
killed=$job
if wait_file 'killed/checkpoint-*.h5'; then
  for pid in $(slurm_node_pids h2); do [[ $(<"/proc/$pid/comm") == lockstep ]] && kill -9 "$pid"; done
fi
submit --hold --nodes=1 --ntasks=1 --nodelist=h3 --export=ALL,RUN_DIR=leftover --output=leftover.out jobs/train.sbatch "${long[@]}"
slurm_leave_socket h3 "$job" && scontrol release "$job"
for label in leftover killed; do
  ended 90 "$label.out"
  same "$label" "$label"
  grep -q 'once more' "$label.out" || { fail "$label: not once more"; tail -n 30 "$label.out"; }
  job=$killed
done

# An array with a last job that combines, and an ensemble in one allocation: the same members. One may fail.
submit --array=1-3 --export=ALL,RUN_DIR=array --output='array-%a.out' jobs/ensemble_array.sbatch data.validation=0.1
submit --nodes=2 --ntasks=3 --export=ALL,RUN_DIR=together,MEMBERS=3 --output=together.out jobs/ensemble.sbatch data.validation=0.1
ended 60 together.out
wait_file array/ensemble.json
sleep 1
for m in 1 2 3; do
  holds "member $m" 'd[0]["weights_digest"] == d[1]["weights_digest"]' "array/member-$m/summary.json" "together/member-$m/summary.json"
done
holds 'one vote' '[d[0]["ensemble"][k] == d[1]["ensemble"][k] for k in ("soft", "hard", "weighted", "gain")] == 4 * [True]' \
  array/ensemble.json together/ensemble.json
mkdir -p lame/member-2 && cp -r array/member-1 lame/
submit --output=lame.out jobs/ensemble_combine.sbatch lame 2
ended 60 lame.out
grep -q 'only 1 of 2 members have finished' lame.out || { fail 'a member that failed is not missed'; cat lame.out; }
[[ $(final_state "$job") == FAILED ]] || fail "a lame ensemble is $(final_state "$job")"

# Attack and scaling, and mistakes.
submit --ntasks=2 --export=ALL,CHECKPOINT=plain/checkpoint-18.h5,OUT=attacked --output=attack.out jobs/attack.sbatch
ended 60 attack.out
[[ -s attacked/results.json ]] || { fail 'no attack'; cat attack.out; }
submit --export=ALL,LOCKSTEP=nothing --output=nothing.out jobs/train.sbatch
ended 30 nothing.out
grep -q 'no program nothing' nothing.out || { fail 'a missing program is not told of'; cat nothing.out; }

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
    ended 1500 "hours-$launch.out"
    same "a long training by $launch" "hours-$launch"
    echo "$launch: $(grep -c ', life ' "hours-$launch.out") lives; $(json "hours-$launch/summary.json" 'd["seconds"]') s of" \
      "training; from the first life to the end: $((SECONDS - started)) s"
  done
fi
finish
