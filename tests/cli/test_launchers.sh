#!/usr/bin/env bash
# Launchers of other MPI libraries, which start processes that do not know of each other; launchers' bindings that leave
# cores idle; and the variables of OpenMP that take threads or cores away.
source "$(dirname "$0")/lib.sh"
toy toy 60 20
toy_config
for variable in $(compgen -e | grep -E '^(OMPI_COMM|PMI|HYDI_|MPI_LOCAL|I_MPI_|SLURM_|PRTE_|OMP_PLACES|OMP_PROC_BIND)'); do
  unset "$variable"
done
run 0 "$lockstep" train toy.yaml -o good train.epochs=1

# apart LAUNCHER VARIABLE=VALUE...: what works on several ranks is refused, what does not is reported.
apart() {
  local launcher=$1 command
  shift
  for command in 'train toy.yaml -o never' 'eval good/best.h5' 'attack good/best.h5 --method fgsm --epsilon 0.1' \
    'bench toy.yaml' 'scale toy.yaml'; do
    # shellcheck disable=SC2086
    run 2 env "$@" "$lockstep" $command
    one_error
    err_has "usage error: $launcher has started 2 processes .*, but the MPI library of this program, .*, knows of 1: .*try: "
  done
  [[ ! -e never && ! -e runs ]] || fail "'$*' left a folder"
  run 0 env "$@" "$lockstep" inspect good/best.h5
  err_has "warning: $launcher has started 2 processes"
  run 0 env "$@" "$lockstep" doctor
  out_has "^launcher +$launcher"
  out_has "^warning: $launcher has started 2 processes"
  run 0 env "$@" "$lockstep" train --help
  [[ ! -s err ]] || fail "'$last' warns beside the help"
}
apart "mpiexec \(MPICH's Hydra\)" HYDI_CONTROL_FD=7 MPI_LOCALNRANKS=2 PMI_SIZE=2 PMI_RANK=0
apart "mpiexec \(Intel MPI's Hydra\)" I_MPI_HYDRA_UUID=1 PMI_SIZE=2 PMI_RANK=0
apart 'srun' SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=2 SLURM_NTASKS=2 SLURM_PROCID=0

# One speaks for all.
run 2 env PMI_SIZE=2 PMI_RANK=1 "$lockstep" train toy.yaml -o never
[[ ! -s err && ! -e never ]] || fail "the second process speaks as well, or has left a folder"

# alone VARIABLE=VALUE...: a process by itself, as is meant.
alone() {
  run 0 env "$@" "$lockstep" eval good/best.h5
  [[ ! -s err ]] || fail "'$last' warns: $(cat err)"
}
alone PMI_SIZE=1 PMI_RANK=0 MPI_LOCALNRANKS=1
alone PMI_SIZE=2 PMI_RANK=0 PMI_FD=987 # of a program that was started by a launcher, and has started this one
alone SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=1 SLURM_NTASKS=1
alone SLURM_JOB_ID=17 SLURM_NTASKS=8   # in a batch script
alone I_MPI_ROOT=/opt/intel

hydra=$(command -v mpiexec.hydra)
if [[ -n $hydra ]]; then
  run 2 "$hydra" -n 2 "$lockstep" train toy.yaml -o never
  one_error
  [[ ! -e never ]] || fail "$hydra has let a training begin"
  run 0 "$hydra" -n 1 "$lockstep" train toy.yaml -o hydra train.epochs=1
else
  echo "no mpiexec.hydra here: MPICH's own launcher is not tried"
fi

# Variables of OpenMP: the doctor reports which one it is, and goes on.
OMP_NUM_THREADS=2 OMP_MAX_ACTIVE_LEVELS=0 run 0 "$lockstep" doctor
out_has '^warning: .*OMP_MAX_ACTIVE_LEVELS is 0; try: unset OMP_MAX_ACTIVE_LEVELS'
OMP_NUM_THREADS=2 OMP_THREAD_LIMIT=1 run 0 "$lockstep" doctor
out_has '^warning: .*OMP_THREAD_LIMIT is 1; try: unset OMP_THREAD_LIMIT'

# A core that we may use, and whether there are more of them.
core=$(python3 -c 'import os; print(min(os.sched_getaffinity(0)))')
cores=$(python3 -c 'import os; print(len(os.sched_getaffinity(0)))')
OMP_NUM_THREADS=2 OMP_PLACES="{$core}" run 0 "$lockstep" doctor
out_has "^warning: .*2 threads on 1 bound core \($core\) by OMP_PLACES=\{$core\}; try: unset OMP_PLACES, or OMP_NUM_THREADS=1"
OMP_NUM_THREADS=2 OMP_PROC_BIND=master OMP_PLACES="{$core}" run 0 "$lockstep" doctor
out_has "^warning: .*2 threads on 1 bound core .*by OMP_PROC_BIND=master; try: unset OMP_PROC_BIND, or OMP_NUM_THREADS=1"
run 0 env -u OMP_NUM_THREADS taskset -c "$core" "$lockstep" doctor # as its user wants it
out_has '^no problems found'

# single NAME MPIRUN_ARG...: one rank without a given number of threads; its report goes to NAME.json.
single() {
  local name=$1
  shift
  ranks 1 0 "$@" env -u OMP_NUM_THREADS "$lockstep" doctor --json
  cp out "$name.json"
}
single unbound --bind-to none
holds 'an unbound rank' '"cores that are not used" not in str(d[0]["warnings"])' unbound.json
single bound --bind-to core
physical=$(python3 - <<'P'
import os
def first(core):
    try:
        return open(f"/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list").read().replace("-", ",").split(",")[0].strip()
    except OSError:
        return str(core)
print(len({first(core) for core in os.sched_getaffinity(0)}))
P
)
if [[ $cores -eq $(json unbound.json 'd["ranks"][0]["core_count"]') && $physical -gt 1 &&
  $(json bound.json 'd["ranks"][0]["cpu_quota"]') == None &&
  $(json bound.json 'd["ranks"][0]["core_count"]') -lt $cores ]]; then
  holds 'a rank on one core' \
    "any('cores that are not used' in w and 'mpirun --map-by slot:PE=$physical --bind-to core' in w for w in d[0]['warnings'])" \
    bound.json
  ranks 1 0 --bind-to core "$lockstep" doctor # OMP_NUM_THREADS=1
  out_has '^no problems found'
else
  echo "one core here, no binding, or a CPU quota: a rank that leaves cores idle is not tried"
fi
finish
