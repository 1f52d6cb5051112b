#!/usr/bin/env bash
# Usage: tests/mpirun.sh RANKS PROGRAM [ARG ...]: mpirun as the tests use it, in one place: more ranks than
# cores, no binding, allowed as root (CI containers), ended by force, and saying so, if it hangs.
set -eu
ranks=$1
shift
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_mpi_yield_when_idle=1
export PRTE_MCA_hwloc_default_binding_policy=none PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe # Open MPI 5
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
exec timeout --verbose -k 5 "${LS_TEST_TIMEOUT:-500}" mpirun -n "$ranks" "$@"
