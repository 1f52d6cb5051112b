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
for file in examples-0.5.png curve.svg curve.csv; do
  cmp "one/$file" "four/$file" || fail "$file depends on the ranks"
done
holds 'epsilon 0 is no attack' 'd[0]["results"][0]["accuracy"] == d[1]["test"]["accuracy"]' one.json clean.json
holds 'the order is the one asked for' '[r["epsilon"] for r in d[0]["results"]] == [0, 0.1, 0.5]' one.json
holds 'an attack does harm' 'd[0]["results"][2]["accuracy"] < d[0]["results"][0]["accuracy"] - 0.3' one.json
for i in 1 2; do
  file=one/adversarial-$(json one.json "d['results'][$i]['epsilon']").h5
  run 0 "$lockstep" eval "$net" --data "$file" --json
  cp out again.json
  holds 'the examples in 8 bits do what is said of them' \
    "d[0]['test']['accuracy'] == d[1]['results'][$i]['accuracy_8bit']" again.json one.json
  for name in accuracy accuracy_8bit; do
    attribute=$(h5dump -a "/$name" "$file" | sed -nE 's/.*\(0\): ([0-9.e+-]+).*/\1/p')
    holds "the file says its $name" "abs(d[0]['results'][$i]['$name'] - ${attribute:--1}) < 1e-5" one.json
  done
done
run 0 "$lockstep" data info one/adversarial-0.5.h5
out_has 'toy-adversarial-8bit'

# Of the training split a rank may hold more than its part of what is attacked: every sample is kept once.
kept() { # kept FOLDER: the samples of the examples there, in order of their numbers
  h5dump -y -w 1 -d /test/sample "$1/adversarial-0.3.h5" | grep -E '^ +[0-9]+,?$' | tr -d ' ,' | sort -n
}
for restriction in "" "--source-class 2" "--limit 77"; do
  for count in 1 3 5; do
    # shellcheck disable=SC2086 # none or two words
    attack "split$count" "$count" --split train --method fgsm --epsilon 0.3 $restriction -o "split$count"
    kept "split$count" >"kept$count"
    cmp kept1 "kept$count" || fail "$count ranks keep other samples of the training split ($restriction)"
    [[ $(sort -u "kept$count" | wc -l) -eq $(json "split$count.json" 'd["results"][0]["samples"]') ]] ||
      fail "$count ranks keep a sample twice, or not at all ($restriction)"
    cmp split1.json "split$count.json" || fail "figures of the training split depend on the ranks ($restriction)"
  done
done

# Where the gradient vanishes, it is said: a single unit, which is off for some samples.
run 0 "$lockstep" train toy.yaml data.normalize=none train.optimizer.lr=1e-9 train.epochs=1 seed=2 -o off \
  'model.layers=[{type: flatten}, {type: dense, units: 1}, {type: relu}, {type: dense, units: 4}]'
run 0 "$lockstep" attack off/checkpoint-5.h5 --method pgd --steps 2 --epsilon 0.1
out_has 'warning: epsilon 0.1: the gradient vanished .* at [1-9][0-9]* of 90 samples; [0-9]+ of them are still right'
run 0 "$lockstep" attack off/checkpoint-5.h5 --method fgsm --epsilon 0.1 --json
cp out off.json
holds 'some gradients have vanished' '0 < d[0]["results"][0]["vanished_gradients"] < 90' off.json
run 0 "$lockstep" attack "$net" --method fgsm --epsilon 0.3
! grep -q 'warning' out || { fail 'a sound network is warned of'; cat out; }

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
run 0 "$lockstep" train dropout.yaml -o clean
for method in '{method: fgsm, epsilon: 0.2}' '{method: noise, epsilon: 0.2}' '{method: pgd, epsilon: 0.2, steps: 3, warmup_epochs: 1}'; do
  rm -rf a b
  run 0 "$lockstep" train dropout.yaml "train.adversarial=$method" -o a
  OMP_NUM_THREADS=2 ranks 3 0 "$lockstep" train dropout.yaml "train.adversarial=$method" -o b
  holds "same bits: $method" 'd[0]["weights_digest"] == d[1]["weights_digest"]' a/summary.json b/summary.json
  holds "other bits than without it: $method" 'd[0]["weights_digest"] != d[1]["weights_digest"]' a/summary.json clean/summary.json
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
err_has 'noise, fgsm, pgd'
run 2 "$lockstep" attack "$net" --method fgsm --epsilon 0.1 --target 4
err_has 'classes 0 to 3'
run 2 "$lockstep" attack "$net" --method fgsm --epsilon 0.1 --source-class nought
err_has 'source-class nought: there are classes 0 to 3'

# Classes by name, and a name that is another class's number.
python3 - <<'P'
import os, random
os.mkdir("names")
r = random.Random(3)
for name, count in (("data_batch_1", 60), ("test_batch", 30)):
    with open(f"names/{name}.bin", "wb") as f:
        for i in range(count):
            f.write(bytes([i % 4]) + bytes(min(255, 60 * (i % 4) + r.randrange(20)) for _ in range(3072)))
open("names/batches.meta.txt", "w").write("cat\nhen\n1\ndog\n")
P
sed 's/source: toy/source: names/' toy.yaml >names.yaml
run 0 "$lockstep" train names.yaml -o names-run
net=$(ls -v names-run/checkpoint-*.h5 | tail -n 1)
attack byname 1 --method fgsm --epsilon 0.1 --source-class dog --target hen
attack bynumber 1 --method fgsm --epsilon 0.1 --source-class 3 --target '#1'
cmp byname.json bynumber.json || fail 'a class has other figures by its name than by its number'
run 0 "$lockstep" attack "$net" --method fgsm --epsilon 0.1 --source-class dog --target hen
out_has 'class 3 \(dog\), to be taken for class 1 \(hen\)'
run 2 "$lockstep" attack "$net" --method fgsm --epsilon 0.1 --target 1
err_has "class 1, 'hen', or class 2, '1'"

run 2 "$lockstep" train toy.yaml train.adversarial.alpha=1.5 --dry-run
err_has 'at most 1'
finish
