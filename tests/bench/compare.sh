#!/usr/bin/env bash
# Training speed against PyTorch, on the same cores: the nets of configs/ and bench/nets/ in turn with their twins of torch_train.py,
# each at its best setting, and the table as Markdown.
#
#   bash tests/bench/compare.sh [-b BATCH] [-r ROUNDS] [-s SECONDS] [-o TABLE.md] [NET...]
#
# Ours: one rank a core, and one rank with a thread a core. PyTorch: one thread, a thread a core, and a process a core
# (DistributedDataParallel, gloo). Data are Debian's Fashion-MNIST and random numbers of its shape. Of several rounds the
# best counts, for both sides. Ends in about a quarter of an hour with the defaults. Installs PyTorch from Debian if it is missing.
set -euo pipefail
cd "$(dirname "$0")/../.."
source jobs/mpirun.sh
batch=256 rounds=2 seconds=6 table=
while getopts 'b:r:s:o:' option; do
  case $option in
    b) batch=$OPTARG ;;
    r) rounds=$OPTARG ;;
    s) seconds=$OPTARG ;;
    o) table=$OPTARG ;;
    *) exit 2 ;;
  esac
done
shift $((OPTIND - 1))
nets=("$@")
[[ ${#nets[@]} -gt 0 ]] || nets=(mlp lenet5 fast_cnn keras_cnn deotte_cnn resnet20 mobilenet_like densenet_like)

bash jobs/bootstrap.sh
# NumPy's BLAS in threads of OpenMP, as PyTorch's own: the pthread variant halves PyTorch's dense layers.
packages=(python3-torch python3-numpy libopenblas0-openmp)
dpkg -s "${packages[@]}" >/dev/null 2>&1 || apt-get install -y --no-install-recommends "${packages[@]}" >/dev/null
{ cmake --preset release && cmake --build --preset release; } >/dev/null
cores=$(physical_cores)
results=$(mktemp)
trap 'rm -f "$results"' EXIT

# ours NET RANKS THREADS
ours() {
  choose_mpirun "$2" "$3"
  local config=configs/$1.yaml
  [[ -e $config ]] || config=tests/bench/nets/$1.yaml
  "${mpirun_line[@]}" build/release/lockstep bench "$config" data.source=fashion-mnist "train.batch=$batch" \
    --seconds "$seconds" --json |
    python3 -c 'import json, sys
d = json.load(sys.stdin)
print("ours", sys.argv[1], f"{sys.argv[2]} x {sys.argv[3]}", d["samples_per_second"], d["sgemm_ratio"], sep="\t")' "$@"
}

# torch NET THREADS PROCESSES
torch() {
  local blas
  blas=$(dirname "$(ls -d /usr/lib/*/openblas-openmp/libblas.so.3)")
  LD_LIBRARY_PATH=$blas /usr/bin/python3 tests/bench/torch_train.py "$1" --threads "$2" --processes "$3" \
    --batch "$batch" --seconds "$seconds" |
    awk -v OFS='\t' -v net="$1" -v how="$3 x $2" '{ print "torch", net, how, $2, 0 }'
}

for ((round = 1; round <= rounds; round++)); do
  for net in "${nets[@]}"; do
    ours "$net" "$cores" 1 >>"$results"
    ours "$net" 1 "$cores" >>"$results"
    torch "$net" 1 1 >>"$results"
    torch "$net" "$cores" 1 >>"$results"
    torch "$net" 1 "$cores" >>"$results"
    echo "round $round of $rounds: $net" >&2
  done
done

python3 - "$results" "$batch" "$(lscpu | sed -n 's/^Model name: *//p')" "$cores" <<'P' | tee ${table:+"$table"}
import collections
import sys

best = collections.defaultdict(dict)
for line in open(sys.argv[1]):
    side, net, how, rate, ratio = line.rstrip("\n").split("\t")
    best[net][side, how] = max(best[net].get((side, how), (0.0, 0.0)), (float(rate), float(ratio)))
print(f"{sys.argv[3]}, {sys.argv[4]} cores, batch {sys.argv[2]}; settings are processes x threads.\n")
print("| net | lockstep, samples/s | at | of SGEMM | PyTorch, samples/s | at | ratio |")
print("|---|---:|---|---:|---:|---|---:|")
for net, rates in best.items():
    (ours, share), our_way = max((v, k[1]) for k, v in rates.items() if k[0] == "ours")
    (theirs, _), their_way = max((v, k[1]) for k, v in rates.items() if k[0] == "torch")
    print(f"| {net} | {ours:,.0f} | {our_way} | {100 * share:.0f} % | {theirs:,.0f} | {their_way} | {ours / theirs:.2f} |")
P
