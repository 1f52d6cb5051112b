# shellcheck shell=bash
# Sourced by jobs/*.sbatch: what they all do around `lockstep`.
#
#   job_begin                 goes to the repository, finds the program, chooses launcher and layout, and says so
#   job_run RESULT ARG...     lockstep ARG... on all ranks; passes USR1 and TERM on, and returns its exit status. Once
#                             more where ranks were killed, or there is no file of the name RESULT (a pattern)
#   job_train RUN_DIR ARG...  the same for lockstep train ARG... -o RUN_DIR; a training that was stopped (75) is
#                             requeued, and goes on in its next life; so is one that a warning has killed, as it does
#                             ranks that are not yet running
#
# LOCKSTEP_HOME  the repository; default: the folder that sbatch was called in
# LOCKSTEP       the program; default: what jobs/quickstart.sh or tests/run.sh built there, or the one on the path
# LAUNCH         srun or mpirun; default: srun where this Slurm has its pmix plugin
# BIND           mpirun's --bind-to; default: core
# MAX_RESTARTS   after so many requeues the job gives up; default 100
# STOP_SECONDS   so long before the time limit a training is stopped, or when Slurm warns, if that is earlier; default 30
# HOLD_SECONDS   a warning in the ranks' first minute is held back so long, but for half of the time left at most;
#                default 30

# From the first moment: Slurm may warn a minute early, which for a short job is at once.
warned='' interrupted='' launcher='' launched=0
trap 'warned=yes interrupted=yes; pass_on "$(hold_seconds)"' USR1 TERM
trap 'warned=yes interrupted=yes; pass_on 0' ALRM

# pass_on DELAY: again and again, since mpirun may swallow it.
pass_on() {
  [[ -n $launcher ]] || return 0
  (sleep "$1"; while kill -USR1 "$launcher" 2>/dev/null; do sleep 1; done) &
}

# Seconds to the time limit. Fails where there is none, or Slurm does not answer.
time_left() {
  local end
  end=$(timeout 5 squeue -h -j "$SLURM_JOB_ID" -o %e 2>/dev/null)
  end=$(date -d "${end:-unknown}" +%s 2>/dev/null) && echo $((end - $(date +%s)))
}

# An early warning neither ends a short life before it was of use, nor comes while the ranks are starting, which srun
# lets it kill.
hold_seconds() {
  local hold=${HOLD_SECONDS:-30} left
  ((SECONDS < launched + 60)) || hold=0
  if left=$(time_left); then
    ((left / 2 >= hold)) || hold=$((left > 0 ? left / 2 : 0))
  fi
  echo "$hold"
}

# A clock of our own: Slurm 22.05 warns only every other life of a requeued job. Asks again at the end of its sleep,
# since a limit can be changed.
watch_limit() {
  local left
  while left=$(time_left); do
    left=$((left - ${STOP_SECONDS:-30}))
    if ((left <= 0)); then kill -ALRM $$; return; fi
    sleep "$left"
  done
}

job_fail() {
  echo "job: $*" >&2
  exit 2
}

find_program() {
  local candidate
  for candidate in ${LOCKSTEP:-build/quickstart/lockstep build/release/lockstep}; do
    candidate=$(command -v "$candidate") && { program=$candidate; return; }
  done
  program=$(command -v lockstep) ||
    job_fail "no program ${LOCKSTEP:-lockstep}: build it with 'bash jobs/quickstart.sh', or set LOCKSTEP"
}

# Open MPI of Debian and of most sites speaks PMIx with srun, and neither pmi2 nor none.
find_launcher() {
  if [[ -z "${LAUNCH:-}" ]]; then
    LAUNCH=mpirun
    if srun --mpi=list 2>&1 | grep -q pmix; then LAUNCH=srun; fi
  fi
  [[ $LAUNCH == srun || $LAUNCH == mpirun ]] || job_fail "LAUNCH is '$LAUNCH', and should be srun or mpirun"
}

# One rank for each last-level cache among the cores of this node: its threads share their working set there. Where
# lscpu does not know the caches, one for each NUMA domain.
topology_ranks() {
  local domains
  domains=$(lscpu -p=CPU,CACHE,NODE 2>/dev/null | awk -F, -v list="$(taskset -cp $$ 2>/dev/null | sed 's/.*: //')" '
    BEGIN {n = split(list, parts, ","); for (i = 1; i <= n; i++) {m = split(parts[i], ends, "-")
      for (c = ends[1]; c <= ends[m]; c++) mine[c] = 1}}
    /^#/ {next}
    $1 in mine {m = split($2, caches, ":"); key = m >= 4 && caches[m] != "" ? "c" caches[m] : "n" $3; seen[key] = 1}
    END {for (key in seen) count++; print count + 0}')
  echo "$((domains > 0 ? domains : 1))"
}

# Tasks and cores as given to sbatch; the topology gives the others.
find_layout() {
  local cores=${SLURM_CPUS_ON_NODE:-$(nproc)}
  nodes=${SLURM_JOB_NUM_NODES:-1}
  threads=${SLURM_CPUS_PER_TASK:-}
  if [[ -n "${SLURM_NTASKS:-}" ]]; then
    ranks=$SLURM_NTASKS
    threads=${threads:-1}
  else
    local per_node
    if [[ -n "$threads" ]]; then per_node=$((cores / threads)); else per_node=$(topology_ranks); fi
    ((per_node >= 1 && per_node <= cores)) || per_node=1
    ranks=$((nodes * per_node))
    threads=${threads:-$((cores / per_node))}
  fi
  export OMP_NUM_THREADS=$threads SRUN_CPUS_PER_TASK=$threads
}

# One node that fails a rank must not leave the others waiting: --kill-on-bad-exit; mpirun does so by itself.
make_launch_line() {
  if [[ $LAUNCH == srun ]]; then
    launch_line=(srun --mpi=pmix --kill-on-bad-exit=1 --nodes="$nodes" --ntasks="$ranks" --cpus-per-task="$threads")
    return
  fi
  launch_line=(mpirun -n "$ranks" --map-by "ppr:$(((ranks + nodes - 1) / nodes)):node:PE=$threads")
  if [[ ${BIND:-core} == none ]]; then launch_line=(mpirun -n "$ranks" --map-by "ppr:$(((ranks + nodes - 1) / nodes)):node"); fi
  launch_line+=(--bind-to "${BIND:-core}")
  if [[ $EUID -eq 0 ]]; then launch_line+=(--allow-run-as-root); fi
}

job_begin() {
  [[ -n "${SLURM_JOB_ID:-}" ]] || job_fail "this is a batch script: sbatch $0"
  cd "${LOCKSTEP_HOME:-$SLURM_SUBMIT_DIR}" || exit 2
  # Datasets are only read, and checkpoints written by one rank under a name of their own: no lock is needed, and some
  # network file systems have none.
  export HDF5_USE_FILE_LOCKING=${HDF5_USE_FILE_LOCKING:-FALSE}
  find_program
  find_launcher
  find_layout
  make_launch_line
  echo "job: ${SLURM_JOB_NAME:-} $SLURM_JOB_ID, life $((${SLURM_RESTART_COUNT:-0} + 1)), on ${SLURM_JOB_NODELIST:-?}:" \
    "$ranks ranks x $threads threads by $LAUNCH" >&2
}

# launch ARG...: lockstep ARG... on all ranks, warned where the job is. In the background, since a shell answers signals
# only between commands in the foreground.
launch() {
  local status again clock
  echo "job: ${launch_line[*]} $program $*" >&2
  "${launch_line[@]}" "$program" "$@" &
  launcher=$! launched=$SECONDS
  [[ -z $warned ]] || pass_on "$(hold_seconds)"
  watch_limit &
  clock=$!
  interrupted=yes
  while [[ -n $interrupted ]]; do # a signal ends `wait`, not the training
    interrupted=
    wait "$launcher"
    again=$?
    [[ $again -eq 127 ]] || status=$again
  done
  launcher=
  kill "$clock" 2>/dev/null
  return "$status"
}

# lost STATUS RESULT: whether ranks were killed, or never launched. srun of Slurm 22.05 says 0 where it could launch
# none, as in a node that was killed in the job's last life and has kept a socket of it: a second step has another one.
lost() {
  [[ $1 -ge 128 || ($1 -eq 0 && -z $(compgen -G "$2")) ]]
}

job_run() {
  local result=$1 again=() status
  shift
  [[ $1 != train ]] || again=(--resume)
  launch "$@"
  status=$?
  if [[ -z $warned ]] && lost "$status" "$result"; then
    echo "job: ranks were killed, or could not be launched (status $status): once more" >&2
    launch "$@" "${again[@]}"
    status=$?
  fi
  if [[ $status -eq 0 ]] && lost 0 "$result"; then
    echo "job: no $result" >&2
    status=1
  fi
  return "$status"
}

job_train() {
  local run_dir=$1 resume=() status
  shift
  if [[ ${SLURM_RESTART_COUNT:-0} -gt 0 ]]; then resume=(--resume); fi
  job_run "$run_dir/*.json" train "$@" -o "$run_dir" "${resume[@]}"
  status=$?
  if [[ $status -ge 128 && -n $warned ]]; then
    echo "job: the warning came before the ranks could stop in order" >&2
    status=75
  fi
  if [[ $status -ne 75 ]]; then return "$status"; fi
  if [[ ${SLURM_RESTART_COUNT:-0} -ge ${MAX_RESTARTS:-100} ]]; then
    echo "job: stopped, and not requeued: MAX_RESTARTS=${MAX_RESTARTS:-100}" >&2
    return 75
  fi
  echo "job: stopped: requeued, to go on from the newest checkpoint" >&2
  scontrol requeue "$SLURM_JOB_ID"
  exit 75
}
