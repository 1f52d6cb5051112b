#!/usr/bin/env bash
# Digits on paper that is unevenly lit, ruled, framed, spotted or grainy, with a network that knows MNIST alone. The pictures
# are in $LOCKSTEP_CASES_PATH/paper, else in ../cases/paper beside a folder of LOCKSTEP_DATA_PATH: KIND/LABEL-NUMBER.png.
source "$(dirname "$0")/lib.sh"
[[ -e $(preloaded allocations) ]] || { echo "SKIPPED: a training that is too long under the sanitizers"; exit 77; }
paper=
IFS=: read -ra folders <<<"${LOCKSTEP_DATA_PATH:-}"
for place in ${LOCKSTEP_CASES_PATH:+"$LOCKSTEP_CASES_PATH"} "${folders[@]/%//../cases}"; do
  [[ -z $paper && -d $place/paper ]] && paper=$place/paper
done
[[ -n $paper ]] || { echo "SKIPPED: no pictures of digits on paper (LOCKSTEP_CASES_PATH)"; exit 77; }
"$lockstep" data info mnist >/dev/null 2>&1 || { echo "SKIPPED: no MNIST (LOCKSTEP_DATA_PATH)"; exit 77; }

run 0 "$lockstep" train "$root/configs/lenet5.yaml" train.epochs=3 -o net
net=$(ls -v net/checkpoint-*.h5 | tail -n 1)
for kind in "$paper"/*/; do
  run 0 "$lockstep" predict "$net" "$kind"*.png --json
  cp out found.json
  holds "$(basename "$kind"): at least 95 of 100" \
    'sum(p["file"].split("/")[-1].split("-")[0] == p["label"] for p in d[0]["predictions"]) >= 0.95 * len(d[0]["predictions"]) > 0' found.json
  holds 'nothing to warn of' 'all(p["warnings"] == [] for p in d[0]["predictions"])' found.json
done
finish
