#!/usr/bin/env bash
# Several networks under attack: beside each other each is as it is alone, as a vote they are one; several methods, the
# worst of them for each sample, and noise to compare with.
source "$(dirname "$0")/lib.sh"
toy toy 300 90
toy_config
run 0 "$lockstep" train toy.yaml -o plain
run 0 "$lockstep" train toy.yaml -o other seed=2 data.normalize=unit train.microbatch=6 'model.layers=[{type: flatten}, {type: dense, units: 4}]'
a=$(ls -v plain/checkpoint-*.h5 | tail -n 1)
b=$(ls -v other/checkpoint-*.h5 | tail -n 1)

attack() { # attack NAME RANKS ARG...
  local name=$1 count=$2
  shift 2
  ranks "$count" 0 "$lockstep" attack "$@" --json
  cp out "$name.json"
}
sweep=(--method noise,pgd,fgsm --steps 3 --restarts 2 --epsilon 0,0.1,0.3)
attack one 1 "$a" "$b" "${sweep[@]}" -o one
attack alone-a 1 "$a" "${sweep[@]}"
attack alone-b 1 "$b" "${sweep[@]}"
for threads in 1 2; do
  OMP_NUM_THREADS=$threads attack three 3 "$a" "$b" "${sweep[@]}" -o three
  cmp one.json three.json || fail "figures of several networks depend on ranks or threads"
done
h5diff one/network-2/adversarial-0.3.h5 three/network-2/adversarial-0.3.h5 || fail "examples depend on the ranks"
holds 'each network is as it is alone' \
  'all(n[k] == alone[k] for n, alone in zip(d[0]["networks"], d[1:]) for k in ("checkpoint", "seed", "results", "methods"))' \
  one.json alone-a.json alone-b.json
holds 'the first one stands at the top' 'd[0]["results"] == d[0]["networks"][0]["results"] and len(d[0]["networks"]) == 2' one.json
holds 'each says where its examples are' '[n["folder"] for n in d[0]["networks"]] == ["network-1", "network-2"]' one.json
attack dirs 1 plain other --method fgsm --epsilon 0.1
holds 'there are no folders where nothing is written' 'not any("folder" in n for n in d[0]["networks"])' dirs.json
holds 'a run directory stands for its checkpoint, which is named' \
  '[n["checkpoint"] for n in d[0]["networks"]] == ["plain/best.h5", "other/best.h5"] and d[0]["checkpoint"] == "plain/best.h5"' dirs.json
run 0 "$lockstep" attack plain other --method fgsm --epsilon 0.1 -o dirs//
out_has '^examples of network 1 in dirs/network-1$'
out_has '^figures in dirs$'
out_has '^network 2: other/best.h5; '
cut -d, -f1 dirs/curve.csv | sort | uniq -c | tr -s ' \n' ' ' | grep -qx ' 1 network 1 other/best.h5 1 plain/best.h5 ' ||
  { fail 'curve.csv does not name the checkpoints'; cat dirs/curve.csv; }
holds 'a single one has no list' '"networks" not in d[0] and "vote" not in d[0]' alone-a.json
for method in noise pgd fgsm; do
  attack "$method" 1 "$b" --method "$method" --steps 3 --restarts 2 --epsilon 0,0.1,0.3
done
holds 'each method is as it is alone' \
  '[m["method"] for m in d[0]["methods"]] == ["noise", "pgd", "fgsm"] and [m["results"] for m in d[0]["methods"]] == [e["results"] for e in d[1:]]' \
  alone-b.json noise.json pgd.json fgsm.json
holds 'one method has no list' '"methods" not in d[0]' fgsm.json
holds 'the worst is no better than any' \
  'all(w["accuracy"] <= m["accuracy"] for e in d[0]["networks"] for x in e["methods"] for w, m in zip(e["results"], x["results"]))' one.json
holds 'noise does less harm than the gradient' \
  'd[0]["results"][2]["accuracy"] > d[1]["results"][2]["accuracy"] + 0.2 and d[0]["results"][0]["accuracy"] == d[1]["results"][0]["accuracy"]' \
  noise.json fgsm.json
holds 'noise has no gradient to lose' 'all(r["vanished_gradients"] == 0 for r in d[0]["results"])' noise.json
run 0 "$lockstep" eval "$b" --data one/network-2/adversarial-0.3.h5 --json
cp out again.json
holds 'the examples are those of the worst method' 'd[0]["test"]["accuracy"] == d[1]["networks"][1]["results"][2]["accuracy_8bit"]' again.json one.json
python3 - <<'P' || fail 'curve.csv has other figures'
import csv, json
rows = list(csv.DictReader(open("one/curve.csv")))
networks = json.load(open("one.json"))["networks"]
series = [(n["checkpoint"], s, r) for n in networks for s, results in
          [({"pgd": "pgd-3"}.get(m["method"], m["method"]), m["results"]) for m in n["methods"]] + [("worst", n["results"])]
          for r in results]
assert len(rows) == len(series) == 24
for row, (network, method, r) in zip(rows, series):
    assert (row["network"], row["method"], float(row["epsilon"])) == (network, method, r["epsilon"])
    assert abs(float(row["accuracy"]) - r["accuracy"]) < 1e-8 and row["target_rate"] == ""
P
python3 - <<'P' || fail 'the curves are not distinguished'
import json, xml.dom.minidom
svg = xml.dom.minidom.parse("one/curve.svg")
lines = svg.getElementsByTagName("polyline")
texts = [t.firstChild.data for t in svg.getElementsByTagName("text")]
assert len(lines) == 2 and len({l.getAttribute("stroke") for l in lines}) == 2
for line, network in zip(lines, json.load(open("one.json"))["networks"]):
    heights = [float(point.split(",")[1]) for point in line.getAttribute("points").split()]
    shown = [(h - heights[0]) / 248 for h in heights]  # pixels from 100 % to 0
    fallen = [network["results"][0]["accuracy"] - r["accuracy"] for r in network["results"]]
    assert all(abs(s - f) < 0.001 for s, f in zip(shown, fallen))
assert sum(t.startswith("1: plain/") or t.startswith("2: other/") for t in texts) == 2
P
run 0 "$lockstep" attack "$a" "$b" "${sweep[@]}" -o one
out_has '^network 2: other/.*; without an attack [0-9.]+ %$'
out_has '^examples of network 2 in one/network-2$'
out_has '^accuracy, under the worst method for each sample$'
attack worst 1 "$b" --method worst --epsilon 0.1
holds 'worst are all methods' '{m["method"] for m in d[0]["methods"]} >= {"noise", "fgsm", "pgd"}' worst.json

# The vote: what `eval` makes of it, harmed by the gradient of its own loss; one network twice is that network.
attack vote 1 "$a" "$b" --vote --method fgsm,pgd --steps 3 --epsilon 0,0.1,0.3 -o vote
attack vote3 3 "$a" "$b" --vote --method fgsm,pgd --steps 3 --epsilon 0,0.1,0.3 -o vote3
cmp vote.json vote3.json || fail "figures of the vote depend on the ranks"
h5diff vote/adversarial-0.3.h5 vote3/adversarial-0.3.h5 || fail "examples of the vote depend on the ranks"
run 0 "$lockstep" eval "$a" "$b" --json
cp out clean.json
holds 'epsilon 0 is the vote of eval' 'd[0]["results"][0]["accuracy"] == d[1]["test"]["accuracy"]' vote.json clean.json
holds 'its checkpoints are reported' 'len(d[0]["vote"]) == 2 and "networks" not in d[0]' vote.json
run 0 "$lockstep" eval "$a" "$b" --data vote/adversarial-0.3.h5 --json
cp out again.json
holds 'its examples do what is said of them' 'd[0]["test"]["accuracy"] == d[1]["results"][2]["accuracy_8bit"]' again.json vote.json
attack noise-vote 1 "$a" "$b" --vote --method noise --epsilon 0.3
holds 'the gradient harms it' 'd[0]["results"][2]["accuracy"] < d[1]["results"][0]["accuracy"] - 0.2' vote.json noise-vote.json
attack twice 1 "$b" "$b" --vote --method fgsm --epsilon 0,0.1,0.3
holds 'twice the same is the same' '[r["correct"] for r in d[0]["results"]] == [r["correct"] for r in d[1]["results"]]' twice.json fgsm.json
run 0 "$lockstep" attack "$a" "$b" --vote --method fgsm --epsilon 0.1
out_has '^fgsm, on the vote of 2 networks, on 90 samples of toy, test; without an attack'
run 0 "$lockstep" train toy.yaml -o all ensemble.members=2
attack members 1 all/member-1 all/member-2 --vote --method fgsm --epsilon 0.1
for count in 1 2; do
  attack whole "$count" all --vote --method fgsm --epsilon 0.1
  cmp -s whole.json members.json || fail "the vote of an ensemble is not that of its members, on $count ranks"
done
holds 'members are named' 'd[0]["vote"] == ["all/member-1/best.h5", "all/member-2/best.h5"]' whole.json
attack goal 1 "$a" "$b" --vote --method noise,fgsm --epsilon 0.3 --source-class 0 --target 3
holds 'a vote is led to a target, by its gradient' \
  'd[0]["methods"][1]["results"][0]["target_rate"] > d[0]["methods"][0]["results"][0]["target_rate"] + 0.2' goal.json
run 0 "$lockstep" attack "$a" "$b" --method fgsm --epsilon 0.3 --target 3 --limit 1
out_has '^fgsm, on 1 sample of toy, test, to be taken for class 3$'
out_has '^taken for the target$'

# On a terminal it says how far it is, and standard output stays a document.
timeout --verbose "$hang_s" \
  python3 -c 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))' \
  "$lockstep" attack "$a" "$b" --method fgsm --epsilon 0.1 </dev/null >terminal || fail 'an attack on a terminal'
grep -q 'network 2, epsilon 0.1 \[' terminal || fail 'no progress on a terminal'

# What is wrong with any of them is reported before the first is attacked.
run 2 "$lockstep" attack "$a" missing.h5 --method fgsm --epsilon 0.1 -o never
err_has 'missing.h5'
[[ ! -e never ]] || fail 'an attack has begun'
run 0 "$lockstep" train toy.yaml -o five seed=3 data.classes=5 'model.layers=[{type: flatten}, {type: dense, units: 5}]' train.epochs=1
run 2 "$lockstep" attack "$a" "$(ls five/checkpoint-*.h5 | tail -n 1)" --method fgsm --epsilon 0.1
err_has 'tells 5 classes apart'
run 2 "$lockstep" attack "$a" "$b" --method fgsm --epsilon 0.1 --split validation
err_has 'other validation splits'
run 2 "$lockstep" attack "$a" --vote --method fgsm --epsilon 0.1
err_has '--vote: a vote takes two checkpoints'
one_error
run 2 "$lockstep" attack all --method fgsm --epsilon 0.1
err_has "'all' holds an ensemble: take one of its members"
for same in 0.1,0.1000001 0.1,0.2,1e-1; do
  run 2 "$lockstep" attack "$a" --method fgsm --epsilon $same -o never
  err_has '--epsilon: two of them are 0.1 in the names of the files'
  [[ ! -e never ]] || fail 'an attack has begun'
done
run 0 "$lockstep" attack "$a" --method fgsm --epsilon 0.1,0.100001 -o near
[[ -e near/adversarial-0.1.h5 && -e near/adversarial-0.100001.h5 ]] || fail "other names of files: $(ls near)"
run 2 "$lockstep" attack "$a" --method fgsm,fgsm --epsilon 0.1
err_has 'each once'
run 0 "$lockstep" attack "$a" --method fgsm --epsilon 0.1 --restarts 3
err_has '--restarts is for noise and pgd'
run 0 "$lockstep" attack "$a" --method fgsm,noise --epsilon 0.1 --restarts 3
[[ ! -s err ]] || { fail 'restarts of noise are warned of'; cat err; }
finish
