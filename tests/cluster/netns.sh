#!/usr/bin/env bash
# Several hosts, emulated by network namespaces of this machine: the same weights as on one, a slow host is named, and a
# job that loses a host ends and goes on without it. Needs root and iproute2; ends with 77 where that is missing. Takes
# about two minutes.
root=$(cd "$(dirname "$0")/../.." && pwd)
source "$root/tests/cli/lib.sh"
source "$root/tests/cluster/hosts.sh"
skip() {
  echo "skipped: $*"
  exit 77
}
[[ $EUID -eq 0 ]] || skip 'network namespaces need root'
command -v tc >/dev/null && command -v ip >/dev/null || skip 'no iproute2'
trap 'end_hosts; rm -rf "$work"' EXIT

# What is left of a job on any host: mpirun cannot reach those that are cut off.
end_hosts() {
  local i
  for ((i = 1; i <= hosts_count; i++)); do kill_host $i; done
  hosts_down
}

kill_host() {
  local pids
  pids=$(ip netns pids "${hosts_prefix}h$1" 2>/dev/null)
  # shellcheck disable=SC2086
  [[ -z "$pids" ]] || kill -KILL $pids 2>/dev/null
}

hosts_up 3 200mbit || skip 'cannot make network namespaces here'
toy toy 600 60
toy_config 'reduction: exact'
all=h1:1,h2:1,h3:1

# A launcher that finds out within seconds that a host is cut off; by default Open MPI's takes eight minutes.
watchful=(--mca oob_tcp_keepalive_time 2 --mca oob_tcp_keepalive_intvl 1 --mca oob_tcp_keepalive_probes 3)

# What hangs is ended; sooner than Open MPI's launcher finds out by its defaults.
hosts_limit=(timeout --verbose -k 5 300)

# start NAME: train on all hosts in the background, without end; the first epochs are done.
start() {
  last="train on $all -o $1"
  hosts_mpirun "${watchful[@]}" -host "$all" -wdir "$work" -x OMP_NUM_THREADS=1 "$lockstep" train toy.yaml \
    "$endless" train.stall_timeout=2 train.stall_abort=4 -o "$1" >out 2>err &
  launcher=$!
  await 'the first epochs' $launcher said '^2,' "$1/metrics.csv"
}

# ended NAME: the job ends by itself, with an error; resumed without host 2, it comes to what an undisturbed run comes to.
ended() {
  local name=$1 status epochs
  say "waiting for the end of $last"
  wait "$launcher"
  status=$?
  [[ $status -ne 0 ]] && ! said '^timeout: ' || { fail "'$last' ended with $status"; tail -n 20 err; }
  say "$name: ended with $status"
  cp err "$name.err"
  kill_host 2
  epochs=$(($(epochs_done "$name") + 1))
  train h1:1,h3:1 -o "$name" --resume "train.epochs=$epochs"
  run 0 "$lockstep" train toy.yaml "train.epochs=$epochs" -o "$name-whole"
  holds "$name: resumed on two hosts" 'd[0]["weights_digest"] == d[1]["weights_digest"]' \
    "$name/summary.json" "$name-whole/summary.json"
}

# train HOSTS ARG...: train in the foreground.
train() {
  local where=$1
  shift
  last="train on $where $*"
  say "$last"
  hosts_mpirun -host "$where" -wdir "$work" -x OMP_NUM_THREADS=1 "$lockstep" train toy.yaml "$@" >out 2>err ||
    { fail "$last"; tail -n 30 err; }
}

# The same bits as on one host, and with two ranks on a host.
run 0 "$lockstep" train toy.yaml -o one
train $all -o three
train h1:2,h2:1 -o uneven
train h1:2,h2:1 train.allreduce=mpi train.reduction=fast -o by-mpi
holds 'three hosts' 'len({s["weights_digest"] for s in d}) == 1' \
  one/summary.json three/summary.json uneven/summary.json by-mpi/summary.json

# Host 2 has an eighth of the others' time.
if [[ -w $hosts_cgroups/cgroup.procs ]]; then
  hosts_share 1 60 && hosts_share 2 8 && hosts_share 3 60
  train $all -o slow data.source=fashion-mnist model.layers.fc.units=10 data.validation=0 \
    train.epochs=2 train.batch=3000 train.microbatch=100
  out_has 'straggler: rank 1 on h2 took [0-9.]+ times as long'
  holds 'a slow host in the summary' '(lambda b: b["slowest_host"] == "h2" and b["straggler"] and
    b["waited_seconds"][1] == min(b["waited_seconds"]))(d[0]["balance"])' slow/summary.json
  last='scale with a slow host'
  say "$last"
  hosts_mpirun -host "$all" -wdir "$work" -x OMP_NUM_THREADS=1 "$lockstep" scale toy.yaml data.source=fashion-mnist \
    model.layers.fc.units=10 train.batch=3000 train.microbatch=100 --mode strong --seconds 0.5 >out 2>err || { fail "$last"; tail -n 30 err; }
  out_has '^straggler: rank 1 on h2 takes [0-9.]+ ms'
  for host in 1 2 3; do hosts_share $host 100; done
else
  echo 'no cgroup v1 for cpu: a slow host is not tested'
fi

start cut
ip link set "${hosts_prefix}v2" down
ended cut
grep -qE 'longer than train.stall_abort, 4 s: ending the job' cut.err || fail 'a cut link: no clear message'
ip link set "${hosts_prefix}v2" up
all_answer() { hosts_mpirun -host "$all" true >out 2>err; }
await 'an answer of all hosts' - all_answer

start killed
kill_host 2
ended killed
finish
