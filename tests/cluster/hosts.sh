# shellcheck shell=bash
# Sourced by scripts that need several hosts: network namespaces of this machine on a bridge, with links of a given
# rate. Needs root and iproute2.
#
#   hosts_up COUNT RATE   makes hosts h1 .. hCOUNT, each sending at RATE (of tc: 1gbit; "" for no limit)
#   hosts_share HOST PERCENT   lets host number HOST have that much of a core from its next process on (cgroup v1)
#   hosts_mpirun ARG...   mpirun from h1; -host h1:1,h2:1 says where ranks go. Ends it by force, if it hangs, where the
#                         caller has set hosts_limit=(timeout ...)
#   hosts_down            takes everything away again
#
# Each host has its own name, /dev/shm and /etc/hosts, so that MPI takes it for a machine of its own. Ranks are not
# bound: every "host" would bind its first rank to the machine's first core.

hosts_count=0
hosts_folder=
hosts_prefix= # of the names of bridge, links and namespaces, so that two scripts have hosts of their own
hosts_net=    # of their addresses: host i has $hosts_net.i
hosts_cgroups=/sys/fs/cgroup/cpu
hosts_limit=()

hosts_share() {
  local group=$hosts_cgroups/${hosts_prefix}h$1
  mkdir -p "$group"
  echo "$((100000 / $2))" >"$group/cpu.cfs_period_us"
  echo 1000 >"$group/cpu.cfs_quota_us" # the kernel's least
  echo 200000 >"$group/cpu.shares"     # and no less, whatever else runs on this machine
}

hosts_down() {
  local i
  for ((i = 1; i <= hosts_count; i++)); do
    ip netns del "${hosts_prefix}h$i" 2>/dev/null || true
    ip link del "${hosts_prefix}v$i" 2>/dev/null || true
    rmdir "$hosts_cgroups/${hosts_prefix}h$i" 2>/dev/null || true
  done
  [[ -z "$hosts_prefix" ]] || ip link del "${hosts_prefix}br" 2>/dev/null || true
  [[ -z "$hosts_folder" ]] || rm -rf "$hosts_folder"
  hosts_count=0 hosts_folder='' hosts_prefix=''
}

# The first number that nobody has.
hosts_claim() {
  local k
  for ((k = 1; k < 255; k++)); do
    hosts_prefix=ls$k- hosts_net=10.177.$k
    ip link add "${hosts_prefix}br" type bridge 2>/dev/null && return 0
  done
  hosts_prefix=
  echo "hosts: cannot make a network bridge" >&2
  return 1
}

hosts_up() {
  local count=$1 rate=$2 i
  hosts_claim || return 1
  hosts_count=$count
  hosts_folder=$(mktemp -d)
  : >"$hosts_folder/resolv.conf" # names that are not in /etc/hosts would wait for a name server
  echo '127.0.0.1 localhost' >"$hosts_folder/hosts"
  ip link set "${hosts_prefix}br" up
  for ((i = 1; i <= count; i++)); do
    echo "$hosts_net.$i h$i" >>"$hosts_folder/hosts"
    ip netns add "${hosts_prefix}h$i"
    ip link add "${hosts_prefix}v$i" type veth peer name eth0 netns "${hosts_prefix}h$i"
    ip link set "${hosts_prefix}v$i" master "${hosts_prefix}br" up
    ip -n "${hosts_prefix}h$i" link set lo up
    ip -n "${hosts_prefix}h$i" addr add "$hosts_net.$i/24" dev eth0
    ip -n "${hosts_prefix}h$i" link set eth0 up
    [[ -z "$rate" ]] || tc -n "${hosts_prefix}h$i" qdisc replace dev eth0 root tbf rate "$rate" burst 64kb latency 50ms
  done
  cat >"$hosts_folder/enter" <<ENTER
#!/usr/bin/env bash
host=\$1
shift
group=$hosts_cgroups/$hosts_prefix\$host/cgroup.procs
[[ ! -e \$group ]] || echo \$\$ >\$group
exec nsenter --net="/run/netns/$hosts_prefix\$host" unshare --mount --uts --propagation private bash -c '
  hostname "\$0" && mount -t tmpfs -o size=2g tmpfs /dev/shm &&
    mount --bind "$hosts_folder/hosts" /etc/hosts && mount --bind "$hosts_folder/resolv.conf" /etc/resolv.conf &&
    exec "\$@"' "\$host" "\$@"
ENTER
  cat >"$hosts_folder/agent" <<AGENT
#!/usr/bin/env bash
while [[ "\$1" == -* ]]; do shift; done
host=\$1
shift
exec "$hosts_folder/enter" "\$host" bash -c "\$*"
AGENT
  chmod +x "$hosts_folder/enter" "$hosts_folder/agent"
}

hosts_mpirun() {
  OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 "${hosts_limit[@]}" "$hosts_folder/enter" h1 \
    mpirun --bind-to none --mca plm_rsh_agent "$hosts_folder/agent" --mca mpi_yield_when_idle 1 "$@"
}
