#!/usr/bin/env bash
# What the reduction costs between hosts, and how much of it hides behind the backward pass: two hosts of network
# namespaces with links of a given rate, one rank each. Needs root and iproute2; data are Debian's Fashion-MNIST.
#
#   bash tests/bench/network.sh [-c CONFIG] [-b BATCH] [-m MICROBATCH] [-l RATE] [-r ROUNDS]
#
# Defaults: configs/mlp.yaml, batch 1024 in micro-batches of 512, 1gbit, 5 rounds. The ways take turns; medians count.
# Time per step of six ways: float32, bfloat16 and exact, each with the reduction at the end (train.bucket_mb=0) and
# overlapped (the default). Hidden: the part of the reduction's time at the end that overlapping takes off the step.
set -euo pipefail
cd "$(dirname "$0")/../.."
source tests/cluster/hosts.sh
config=configs/mlp.yaml batch=1024 microbatch=512 rate=1gbit rounds=5
while getopts 'c:b:m:l:r:' option; do
  case $option in
    c) config=$OPTARG ;;
    b) batch=$OPTARG ;;
    m) microbatch=$OPTARG ;;
    l) rate=$OPTARG ;;
    r) rounds=$OPTARG ;;
    *) exit 2 ;;
  esac
done
[[ $EUID -eq 0 ]] || { echo 'network namespaces need root' >&2; exit 2; }
{ cmake --preset release && cmake --build --preset release; } >/dev/null
results=$(mktemp)
trap 'hosts_down; rm -f "$results"' EXIT
hosts_up 2 "$rate"

# measure NAME OVERRIDE...
measure() {
  local name=$1
  shift
  hosts_mpirun -host h1:1,h2:1 -x OMP_NUM_THREADS=1 build/release/lockstep bench "$config" \
    data.source=fashion-mnist "train.batch=$batch" "train.microbatch=$microbatch" "$@" --seconds 5 --json |
    python3 -c 'import json, sys
d = json.load(sys.stdin)
print(sys.argv[1], 1e3 * d["step_seconds"], 1e3 * d["profile"]["reduction"], sep="\t")' "$name" >>"$results"
}

for ((round = 0; round < rounds; round++)); do
  for dtype in float32 bfloat16; do
    measure "$dtype, at the end" "train.allreduce_dtype=$dtype" train.bucket_mb=0
    measure "$dtype, overlapped" "train.allreduce_dtype=$dtype"
  done
  measure 'exact, at the end' train.reduction=exact train.bucket_mb=0
  measure 'exact, overlapped' train.reduction=exact
done

echo "$config, batch $batch in micro-batches of $microbatch, 2 hosts x 1 rank, $rate, medians of $rounds"
python3 - "$results" <<'P'
import collections, statistics, sys
ways = collections.defaultdict(list)
for line in open(sys.argv[1]):
    name, step, reduction = line.rstrip("\n").split("\t")
    ways[name].append((float(step), float(reduction)))
for name, times in ways.items():
    step, reduction = (statistics.median(column) for column in zip(*times))
    print(f"{name:22s} {step:8.2f} ms a step, {reduction:7.2f} ms waiting for the reduction", end="")
    if "overlapped" in name:
        pairs = zip(ways[name.replace("overlapped", "at the end")], times)
        hidden = statistics.median((before[0] - after[0]) / before[1] for before, after in pairs)
        print(f", {100 * hidden:.0f} % hidden", end="")
    print()
P
