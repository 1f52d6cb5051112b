#!/usr/bin/env bash
# Attacks and adversarial training: figures and examples do not depend on the ranks; epsilon 0 is the clean accuracy;
# adversarial training helps.
source "$(dirname "$0")/lib.sh"
toy toy 300 90
toy_config
run 0 "$lockstep" train toy.yaml -o plain
net=$(ls -v plain/checkpoint-*.h5 | tail -n 1)
run 0 "$lockstep" eval "$net" --json
cp out clean.json

attack() { # attack NAME RANKS ARG...
  local name=$1 count=$2
  shift 2
  ranks "$count" 0 "$lockstep" attack "$net" "$@" --json
  cp out "$name.json"
}
sweep=(--method fgsm --epsilon 0,0.1,0.5)
attack one 1 "${sweep[@]}" -o one
attack four 4 "${sweep[@]}" -o four
cmp one.json four.json || fail "figures depend on the ranks"
for file in adversarial-0.1.h5 adversarial-0.5.h5; do
  h5diff "one/$file" "four/$file" || fail "$file depends on the ranks"
done
for file in examples-0.5.png curve.svg; do
  cmp "one/$file" "four/$file" || fail "$file depends on the ranks"
done
holds 'epsilon 0 is no attack' 'd[0]["results"][0]["accuracy"] == d[1]["test"]["accuracy"]' one.json clean.json
holds 'the order is the one asked for' '[r["epsilon"] for r in d[0]["results"]] == [0, 0.1, 0.5]' one.json
holds 'an attack does harm' 'd[0]["results"][2]["accuracy"] < d[0]["results"][0]["accuracy"] - 0.3' one.json
run 0 "$lockstep" eval "$net" --data one/adversarial-0.5.h5 --json
cp out again.json
holds 'the examples do what the figures say' \
  'abs(d[0]["test"]["accuracy"] - d[1]["results"][2]["accuracy"]) < 0.05' again.json one.json

pgd=(--method pgd --epsilon 0.1 --steps 5)
attack pgd1 1 "${pgd[@]}" --restarts 3
attack pgd3 3 "${pgd[@]}" --restarts 3
cmp pgd1.json pgd3.json || fail "random starts depend on the ranks"
attack single 1 "${pgd[@]}"
holds 'restarts only do harm' 'd[0]["results"][0]["accuracy"] <= d[1]["results"][0]["accuracy"]' pgd1.json single.json

attack target 1 --method fgsm --epsilon 0.5 --source-class 0 --target 3
holds 'a target is hit' 'd[0]["results"][0]["target_rate"] > 0.2 and d[0]["results"][0]["samples"] < 60' target.json

# Batch norm, dropout and both kinds of loss: the same weights on any ranks and threads.
sed 's/- {type: flatten}/&\n    - {type: dropout, rate: 0.2}/' toy.yaml >dropout.yaml
for method in '{method: fgsm, epsilon: 0.2}' '{method: pgd, epsilon: 0.2, steps: 3, warmup_epochs: 1}'; do
  rm -rf a b
  run 0 "$lockstep" train dropout.yaml "train.adversarial=$method" -o a
  OMP_NUM_THREADS=2 ranks 3 0 "$lockstep" train dropout.yaml "train.adversarial=$method" -o b
  holds "same bits: $method" 'd[0]["weights_digest"] == d[1]["weights_digest"]' a/summary.json b/summary.json
done
net=$(ls -v a/checkpoint-*.h5 | tail -n 1)
attack defended 1 --method pgd --epsilon 0.2 --steps 5
net=$(ls -v plain/checkpoint-*.h5 | tail -n 1)
attack exposed 1 --method pgd --epsilon 0.2 --steps 5
holds 'training helps' 'd[0]["results"][0]["accuracy"] > d[1]["results"][0]["accuracy"]' defended.json exposed.json

run 0 "$lockstep" attack "$net" --method fgsm --epsilon 0.1 --steps 3
err_has 'fgsm takes a single step'
run 2 "$lockstep" attack "$net" --method pgd
err_has 'no --epsilon given'
run 2 "$lockstep" attack "$net" --method fgsm --epsilon 0.1,2
err_has 'numbers from 0 to 1'
run 2 "$lockstep" attack "$net" --method deepfool --epsilon 0.1
err_has 'fgsm or pgd'
run 2 "$lockstep" attack "$net" --method fgsm --epsilon 0.1 --target 4
err_has 'classes 0 to 3'
run 2 "$lockstep" train toy.yaml train.adversarial.alpha=1.5 --dry-run
err_has 'at most 1'
finish
