#!/usr/bin/env bash
# Is what `lockstep scale` predicts what is measured? Fitted on one and two hosts of an emulated network, it predicts
# four; then four are measured, in a job of their own. Needs root and iproute2; data are Debian's Fashion-MNIST.
#
#   bash tests/bench/scale.sh [-c CONFIG] [-b BATCH] [-m MICROBATCH] [-l RATE] [-p PERCENT] [-s SECONDS] [-e ERROR]
#
# Defaults: configs/lenet5.yaml, batch 1024 in micro-batches of 128, 100mbit, 20 % of a core for each host, 6 seconds
# for each number of ranks;
# ends with 1 if a prediction is off by more than 15 %. All hosts are on this machine: with a fixed share of a core
# each (cgroup), four do not slow each other down, as long as 4 x PERCENT of its cores are free.
set -euo pipefail
cd "$(dirname "$0")/../.."
source tests/cluster/hosts.sh
config=configs/lenet5.yaml batch=1024 microbatch=128 rate=100mbit percent=20 seconds=6 error=15
while getopts 'c:b:m:l:p:s:e:' option; do
  case $option in
    c) config=$OPTARG ;;
    b) batch=$OPTARG ;;
    m) microbatch=$OPTARG ;;
    l) rate=$OPTARG ;;
    p) percent=$OPTARG ;;
    s) seconds=$OPTARG ;;
    e) error=$OPTARG ;;
    *) exit 2 ;;
  esac
done
[[ $EUID -eq 0 ]] || { echo 'network namespaces need root' >&2; exit 2; }
[[ -e $hosts_cgroups/cpu.cfs_quota_us || -e $hosts_cgroups/cgroup.procs ]] || { echo 'no cgroup v1 for cpu' >&2; exit 2; }
work=$(mktemp -d)
trap 'hosts_down; rm -rf "$work"' EXIT
hosts_up 4 "$rate"
for host in 1 2 3 4; do hosts_share $host "$percent"; done

# study HOSTS NAME
study() {
  hosts_mpirun -host "$1" -x OMP_NUM_THREADS=1 build/release/lockstep scale "$config" data.source=fashion-mnist \
    "train.batch=$batch" "train.microbatch=$microbatch" --seconds "$seconds" -o "$work/$2" >"$work/$2.txt" || { cat "$work/$2.txt"; exit 1; }
}
study h1:1,h2:1 two
study h1:1,h2:1,h3:1,h4:1 four
sed -n '1,/^predicted/p' "$work/two.txt" "$work/four.txt" | grep -v '^predicted'

python3 - "$work" "$error" <<'P'
import csv, sys
def rows(name):
    return {int(row["ranks"]): row for row in csv.DictReader(open(f"{sys.argv[1]}/{name}.csv"))}
worst = 0
for mode in "strong", "weak":
    predicted, measured = rows(f"two/{mode}_predicted")[4], rows(f"four/{mode}")[4]
    off = 100 * (float(predicted["step_s"]) / float(measured["step_s"]) - 1)
    worst = max(worst, abs(off))
    print(f"{mode} scaling, 4 hosts: predicted {1e3 * float(predicted['step_s']):.2f} ms "
          f"({1e3 * float(predicted['low_s']):.2f} - {1e3 * float(predicted['high_s']):.2f}), "
          f"measured {1e3 * float(measured['step_s']):.2f} ms: {off:+.1f} %")
    print("  part         predicted  measured")
    for part in "compute", "waiting", "allreduce", "update":
        print(f"  {part:12s} {1e3 * float(predicted[part + '_s']):9.2f} {1e3 * float(measured[part + '_s']):9.2f}")
sys.exit(worst > float(sys.argv[2]))
P
