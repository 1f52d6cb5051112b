#!/usr/bin/env bash
# What the two ways of train.allreduce take: the ranks of one host, and two hosts of network namespaces with links of 1
# and 10 Gbit/s, a rank each. Needs root, iproute2 and two cores; data are Debian's Fashion-MNIST. Five minutes.
#
#   bash tests/bench/allreduce.sh [-r ROUNDS] [-s SECONDS]      default: 3 rounds, 6 seconds for each measurement
#
# Prints README's table: of a step in milliseconds, and of its reduction from the arrival of the last rank on. The ways
# take turns within a measurement (lockstep bench), the measurements within a round; medians count. Then lockstep's own
# messages between hosts beside MPI's collectives, each below the same computation (bench_iallreduce.c).
set -euo pipefail
cd "$(dirname "$0")/../.."
source tests/cluster/hosts.sh
rounds=3 seconds=6
while getopts 'r:s:' option; do
  case $option in
    r) rounds=$OPTARG ;;
    s) seconds=$OPTARG ;;
    *) exit 2 ;;
  esac
done
[[ $EUID -eq 0 ]] || { echo 'network namespaces need root' >&2; exit 2; }
{ cmake --preset release && cmake --build --preset release; } >/dev/null
results=$(mktemp) messages=$(mktemp)
trap 'hosts_down; rm -f "$results" "$messages"' EXIT

# Configuration, batch, micro-batch: the micro-batches of a rank are its thread's.
cases=('lenet5 256 64' 'mlp 256 128' 'mlp 1024 512' 'resnet20 256 128')

# on PLACE PROGRAM ARG...: two ranks of one host, or of two.
on() {
  local place=$1
  shift
  if [[ $place == '1 host' ]]; then
    OMP_NUM_THREADS=1 bash tests/mpirun.sh 2 "$@"
  else
    hosts_mpirun -host h1:1,h2:1 -x OMP_NUM_THREADS=1 "$@"
  fi
}

# measure PLACE: every case once.
measure() {
  local config batch microbatch
  for case in "${cases[@]}"; do
    read -r config batch microbatch <<<"$case"
    on "$1" build/release/lockstep bench "configs/$config.yaml" data.source=fashion-mnist "train.batch=$batch" \
      "train.microbatch=$microbatch" --seconds "$seconds" --json |
      python3 -c 'import json, sys
ways = json.load(sys.stdin)["allreduce"]
for way, times in ways.items():
    print(*sys.argv[1:], way, 1e3 * times["step_seconds"], 1e3 * times["reduction_seconds"], sep="\t")' \
        "$1" "$config" "$batch" >>"$results"
  done
}

for ((round = 0; round < rounds; round++)); do
  measure '1 host'
  for rate in 1 10; do
    hosts_up 2 "${rate}gbit"
    measure "2 hosts, $rate Gbit/s"
    on "2 hosts, $rate Gbit/s" build/release/tests/bench_iallreduce | sed "s|^|2 hosts, $rate Gbit/s\t|" >>"$messages"
    hosts_down
  done
done

python3 - "$results" "$messages" <<'P'
import collections, re, statistics, sys
times = collections.defaultdict(list)
for line in open(sys.argv[1]):
    place, config, batch, way, step, reduction = line.rstrip("\n").split("\t")
    times[place, config, batch, way].append((float(step), float(reduction)))
print("| ranks | net | batch | `auto`: step, ms | of it the reduction | `mpi`: step, ms | of it the reduction |")
print("|---|---|---:|---:|---:|---:|---:|")
for place, config, batch in dict.fromkeys(key[:3] for key in times):
    cells = [statistics.median(column) for way in ("auto", "mpi") for column in zip(*times[place, config, batch, way])]
    print(f"| {place} | {config} | {batch} |", " | ".join(f"{cell:.2f}" for cell in cells), "|")
print()
beside = collections.defaultdict(list)
for line in open(sys.argv[2]):
    place, rest = line.rstrip("\n").split("\t")
    name, step = re.match(r"(.*\S) +([0-9.]+) ms a step", rest).groups()
    beside[place, name].append(float(step))
for (place, name), steps in beside.items():
    print(f"{place}: {name:30s} {statistics.median(steps):8.2f} ms a step")
P
