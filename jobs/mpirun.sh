# shellcheck shell=bash
# Sourced by the job scripts: how to start ranks on this workstation.
#
#   choose_mpirun RANKS MAX_THREADS   sets the array mpirun_line: an mpirun command that gives every rank an
#                                     equal share of the cores, at most MAX_THREADS, and binds it there
#
# Open MPI's default binds a rank of a small job to one core, and all its OpenMP threads with it: hence
# --map-by slot:PE=THREADS. With more ranks than cores nothing is bound.

physical_cores() {
  local cores
  cores=$(lscpu -p=Core,Socket,Online 2>/dev/null | grep -v '^#' | sort -u | wc -l)
  local allowed
  allowed=$(nproc)
  [[ "$cores" -ge 1 && "$cores" -le "$allowed" ]] || cores=$allowed
  echo "$cores"
}

choose_mpirun() {
  local ranks=$1 max_threads=$2 cores threads
  cores=$(physical_cores)
  threads=$((cores / ranks))
  ((threads <= max_threads)) || threads=$max_threads
  if ((threads >= 1)); then
    mpirun_line=(mpirun -n "$ranks" --map-by "slot:PE=$threads" --bind-to core -x "OMP_NUM_THREADS=$threads")
  else
    mpirun_line=(mpirun -n "$ranks" --oversubscribe --bind-to none -x OMP_NUM_THREADS=1)
  fi
  if [[ $EUID -eq 0 ]]; then mpirun_line+=(--allow-run-as-root); fi
}
