#!/usr/bin/env bash
# Trains the networks of configs/ on real MNIST (LOCKSTEP_DATA_PATH, data/mnist) and Fashion-MNIST with two ranks
# and prints what they reach on the test split. Takes about an hour on two cores; `accuracy.sh NET...` a part of it.
set -euo pipefail
cd "$(dirname "$0")/../.."
source jobs/mpirun.sh
choose_mpirun 2 4
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# NET, data, key.path=value...
nets=("mlp mnist" "lenet5 mnist" "fast_cnn mnist" "keras_cnn mnist" "lenet5 fashion-mnist" "deotte_cnn mnist train.epochs=4" "resnet20 mnist train.epochs=3")
for entry in "${nets[@]}"; do
  read -r net data overrides <<<"$entry"
  [[ $# -eq 0 || " $* " == *" $net "* ]] || continue
  # shellcheck disable=SC2086
  "${mpirun_line[@]}" build/release/lockstep train "configs/$net.yaml" "data.source=$data" $overrides -o "$out/$net-$data" \
    >"$out/log" || { cat "$out/log"; exit 1; }
  python3 - "$out/$net-$data/summary.json" "$net" "$data" <<'P'
import json, sys
d = json.load(open(sys.argv[1]))
print(f"{sys.argv[2]:11s} {sys.argv[3]:14s} {d['parameters']:9,d} parameters  {d['epochs']:3d} epochs  "
      f"test accuracy {100 * d['test']['accuracy']:.2f} %  macro F1 {d['test']['macro']['f1']:.4f}  "
      f"{d['samples_per_second']:8.0f} samples/s  {d['seconds']:6.1f} s", flush=True)
P
done
