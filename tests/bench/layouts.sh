#!/usr/bin/env bash
# What a second core brings, as ranks and as threads, and what a small batch costs: samples a second of one core, of a
# rank a core and of a thread a core, each at batch 256 and 64.
#
#   bash tests/bench/layouts.sh [-r ROUNDS] [-s SECONDS] [NET...]
#
# The layouts take turns; of several rounds the best counts, for each. A layout's gain is the ratio to one core at the
# same batch; what batch 64 keeps is the ratio to the better layout of all cores at batch 256. Data are Debian's
# Fashion-MNIST. Ends in about ten minutes with the defaults.
set -euo pipefail
cd "$(dirname "$0")/../.."
source jobs/mpirun.sh
rounds=3 seconds=3
while getopts 'r:s:' option; do
  case $option in
    r) rounds=$OPTARG ;;
    s) seconds=$OPTARG ;;
    *) exit 2 ;;
  esac
done
shift $((OPTIND - 1))
nets=("$@")
[[ ${#nets[@]} -gt 0 ]] || nets=(mlp lenet5 fast_cnn keras_cnn deotte_cnn resnet20)
cores=$(physical_cores)
{ cmake --preset release && cmake --build --preset release; } >/dev/null
results=$(mktemp)
trap 'rm -f "$results"' EXIT

# measure NET BATCH RANKS THREADS
measure() {
  choose_mpirun "$3" "$4"
  "${mpirun_line[@]}" build/release/lockstep bench "configs/$1.yaml" data.source=fashion-mnist "train.batch=$2" \
    --seconds "$seconds" --json |
    python3 -c 'import json, sys
print(*sys.argv[1:], json.load(sys.stdin)["samples_per_second"], sep="\t")' "$@" >>"$results"
}

for ((round = 0; round < rounds; round++)); do
  for net in "${nets[@]}"; do
    for batch in 256 64; do
      measure "$net" "$batch" 1 1
      measure "$net" "$batch" "$cores" 1
      measure "$net" "$batch" 1 "$cores"
    done
  done
done

python3 - "$results" "$cores" <<'P'
import sys
cores = sys.argv[2]
best = {}
for line in open(sys.argv[1]):
    net, batch, ranks, threads, rate = line.split()
    key = net, batch, ranks, threads
    best[key] = max(best.get(key, 0), float(rate))
print(f"samples/s: one core, then {cores} ranks and {cores} threads with their gain; kept: of batch 256")
for net in dict.fromkeys(key[0] for key in best):
    full = max(best[net, "256", cores, "1"], best[net, "256", "1", cores])
    for batch in "256", "64":
        one, ranks, threads = (best[net, batch, *way] for way in (("1", "1"), (cores, "1"), ("1", cores)))
        print(f"{net:11s} batch {batch:>3s} {one:8.0f} {ranks:8.0f} {ranks / one:5.2f} {threads:8.0f} {threads / one:5.2f}"
              f"  kept {100 * max(ranks, threads) / full:4.0f} %")
P
