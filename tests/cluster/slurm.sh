# shellcheck shell=bash
# Sourced by the tests of Slurm jobs: a real Slurm on this machine, of virtual nodes h1 .. hN, each with a network
# namespace, a host name and a /dev/shm of its own (hosts.sh). Needs root, and slurmctld, slurmd, slurm-client, munge.
#
#   slurm_missing         prints why there can be no Slurm here, or nothing
#   slurm_up COUNT CPUS   starts it with COUNT nodes of CPUS cores each; its files are below $slurm_folder
#   slurm_node_up NODE    starts a node anew, as after a crash
#   slurm_node_kill NODE  kills all processes of a node at once: a power failure
#   slurm_leave_socket NODE JOB    what a crash leaves of a job's first step
#   slurm_down            stops what was started, and takes everything away
#   job_state JOB         what squeue says of it
#
# Jobs requeue after 5 s instead of Slurm's 2 minutes (cred_expire).
source "$(dirname "${BASH_SOURCE[0]}")/hosts.sh"
slurm_folder=

slurm_missing() {
  local program
  [[ $EUID -eq 0 ]] || { echo "not root"; return; }
  for program in slurmctld slurmd srun sbatch munged ip nsenter; do
    command -v "$program" >/dev/null || [[ -x /usr/sbin/$program ]] || { echo "$program is not installed"; return; }
  done
  if ! ip netns add "lockstep-probe$$" 2>/dev/null; then
    echo "no network namespaces here"
    return
  fi
  ip netns del "lockstep-probe$$"
  if ! unshare --mount --uts true 2>/dev/null; then echo "no mount namespaces here"; fi
}

slurm_write_conf() { # COUNT CPUS
  local f=$slurm_folder i
  cat >"$f/slurm.conf" <<CONF
ClusterName=lockstep
SlurmctldHost=$(hostname -s)($hosts_net.254)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$f/munge.socket,cred_expire=5
SlurmctldPort=$((17000 + ${hosts_net##*.}))
SlurmdPort=16818
StateSaveLocation=$f/state
SlurmdSpoolDir=$f/spool/%n
TmpFS=$f/tmp/%n
SlurmctldPidFile=$f/slurmctld.pid
SlurmdPidFile=$f/slurmd-%n.pid
SlurmctldLogFile=$f/log/slurmctld.log
SlurmdLogFile=$f/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
ReturnToService=2
MpiDefault=pmix
KillWait=5
SlurmdTimeout=20
BatchStartTimeout=60
MessageTimeout=10
JobRequeue=1
MinJobAge=3600
MailProg=/bin/true
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/filetxt
JobCompLoc=$f/log/jobcomp.txt
NodeName=DEFAULT CPUs=$2 Boards=1 SocketsPerBoard=1 CoresPerSocket=$2 ThreadsPerCore=1 RealMemory=4000 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
  echo 'CgroupPlugin=cgroup/v1' >"$f/cgroup.conf" # without a mounted cgroup slurmd would not start
  for ((i = 1; i <= $1; i++)); do
    sed -i "/^PartitionName/i NodeName=h$i NodeAddr=$hosts_net.$i Port=16818" "$f/slurm.conf"
    mkdir -p "$f/spool/h$i" "$f/tmp/h$i"
  done
}

slurm_munge() {
  local f=$slurm_folder
  head -c 128 /dev/urandom >"$f/munge.key"
  chmod 600 "$f/munge.key"
  munged --key-file="$f/munge.key" --socket="$f/munge.socket" --pid-file="$f/munged.pid" \
    --log-file="$f/log/munged.log" --seed-file="$f/munged.seed" --num-threads=2
}

slurm_node_up() { # NODE
  local f=$slurm_folder
  rm -rf "$f/spool/$1"/pmix.* "$f/spool/$1"/stepd.slurm.pmix.* "$f/tmp/$1"/spmix_appdir_*
  "$hosts_folder/enter" "$1" slurmd -N "$1" -f "$f/slurm.conf"
}

# Every process whose network is the node's.
slurm_node_pids() { # NODE
  local net pid
  net=$(stat -Lc %i "/run/netns/$hosts_prefix$1") || return 0
  for pid in /proc/[0-9]*; do
    [[ $(stat -Lc %i "$pid/ns/net" 2>/dev/null) == "$net" ]] && echo "${pid#/proc/}"
  done
  return 0
}

slurm_node_kill() { # NODE
  local pids
  pids=$(slurm_node_pids "$1")
  [[ -z "$pids" ]] || kill -9 $pids 2>/dev/null || true
}

slurm_leave_socket() { # NODE JOB: as a killed slurmstepd of the job's first step does
  python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' \
    "$slurm_folder/spool/$1/stepd.slurm.pmix.$2.0"
}

slurm_idle() { # COUNT: wait until so many nodes are idle
  local t
  for ((t = 0; t < 3000; t++)); do
    [[ $(sinfo -h -t idle -o %D 2>/dev/null) == "$1" ]] && return 0
    sleep 0.1
  done
  echo "$1 idle nodes were expected:"
  sinfo -Nl
  return 1
}

slurm_up() { # COUNT CPUS
  local i
  slurm_folder=$(mktemp -d)
  chmod 755 "$slurm_folder"
  mkdir -p "$slurm_folder"/{state,log}
  hosts_up "$1" "" || return 1
  ip addr add "$hosts_net.254/24" dev "${hosts_prefix}br"
  slurm_write_conf "$1" "$2"
  export SLURM_CONF=$slurm_folder/slurm.conf
  # Several hosts share these cores, and each would bind its first rank to the first core.
  export OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_mpi_yield_when_idle=1
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  slurm_munge || return 1
  slurmctld -f "$SLURM_CONF" || return 1
  for ((i = 1; i <= $1; i++)); do slurm_node_up "h$i" || return 1; done
  slurm_idle "$1"
}

slurm_stop_pid() { # PID_FILE
  local pid t
  [[ -s $1 ]] || return 0
  pid=$(<"$1")
  kill "$pid" 2>/dev/null || return 0
  for ((t = 0; t < 50; t++)); do kill -0 "$pid" 2>/dev/null || return 0; sleep 0.1; done
  kill -9 "$pid" 2>/dev/null || true
}

slurm_down() {
  local i
  [[ -n "$slurm_folder" ]] || return 0
  scancel --full --state=RUNNING >/dev/null 2>&1
  for ((i = 1; i <= hosts_count; i++)); do slurm_stop_pid "$slurm_folder/slurmd-h$i.pid"; done
  slurm_stop_pid "$slurm_folder/slurmctld.pid"
  for ((i = 1; i <= hosts_count; i++)); do slurm_node_kill "h$i"; done
  slurm_stop_pid "$slurm_folder/munged.pid"
  hosts_down
  rm -rf "$slurm_folder"
  slurm_folder=
  unset SLURM_CONF
}

# Of all tasks of an array; nothing if they are over.
job_state() {
  local states
  states=$(squeue -h -j "$1" -o %T 2>/dev/null) || states=UNKNOWN # busy: no answer in time
  sort -u <<<"$states" | paste -sd ' '
}
