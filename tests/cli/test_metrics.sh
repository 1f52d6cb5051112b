#!/usr/bin/env bash
# What eval and the files of a run say of a network: against a forward pass of numpy's, on any number of ranks, with names
# of classes that CSV quotes.
source "$(dirname "$0")/lib.sh"
python=/usr/bin/python3 # whose h5py is the distribution's
has_h5py=$("$python" -c 'import h5py' 2>/dev/null && echo yes)
toy toy 333 101
cat >linear.yaml <<'Y'
name: linear
data: {source: toy, validation: 0.2}
model:
  layers:
    - {type: flatten}
    - {type: dense, name: fc, units: 4}
train:
  epochs: 2
  batch: 50
  optimizer: {type: sgd, lr: 0.002}
Y
run 0 "$lockstep" train linear.yaml -o runs/first
run 0 "$lockstep" train linear.yaml -o runs/second seed=2 data.split_seed=1
first=runs/first/best.h5
final=$(ls -v runs/first/checkpoint-*.h5 | tail -n 1)

# The same rows on any number of ranks, of one network and of a vote; they are what the report counts.
for networks in "$first" "$first runs/second/best.h5"; do
  for split in test validation train; do
    for count in 1 2 3 5; do
      ranks "$count" 0 "$lockstep" eval $networks --split $split --json --predictions rows.csv
      [[ $count -gt 1 ]] || { cp rows.csv one.csv && cp out one.json; }
      cmp -s rows.csv one.csv || fail "other predictions of $networks on $split on $count ranks"
      cmp -s out one.json || fail "other figures of $networks on $split on $count ranks"
    done
    python3 - one.csv one.json $split <<'P' || fail "predictions of $networks on $split are not those that are counted"
import csv, json, math, sys
rows, figures = list(csv.DictReader(open(sys.argv[1]))), json.load(open(sys.argv[2]))[sys.argv[3]]
assert list(rows[0]) == ["index", "label", "class", "probability", "class_name"]
index, label, guess = ([int(row[k]) for row in rows] for k in ("index", "label", "class"))
assert index == sorted(set(index)) and len(index) == figures["samples"] and all(r["class_name"] == r["class"] for r in rows)
assert index == list(range(101)) if sys.argv[3] == "test" else max(index) < 333
for i, line in enumerate(figures["confusion"]):
    assert line == [sum(a == i and b == j for a, b in zip(label, guess)) for j in range(4)]
bins = {}
for row, right in zip(rows, (a == b for a, b in zip(label, guess))):
    p = float(row["probability"])
    bins.setdefault(math.ceil(15 * p), []).append(p - right)
assert abs(sum(abs(sum(b)) for b in bins.values()) / len(rows) - figures["ece"]) < 1e-7
P
  done
done
[[ -z $(ls -A | grep tmp) ]] || fail "temporary files are left: $(ls -A)"
run 0 "$lockstep" eval "$first"
out_has '^      negative log-likelihood [0-9.]+, Brier score [0-9.]+, calibration error [0-9.]+$'
holds 'a summary has them too' 'd[0]["test"]["nll"] == d[0]["test"]["loss"] and {"brier", "ece"} <= set(d[0]["validation"])' \
  runs/first/summary.json

# What cannot be written is reported before the evaluation.
for bad in /dev/null nowhere/rows.csv runs /proc/rows.csv; do
  timeout "$hang_s" "$lockstep" eval "$first" --predictions "$bad" >out 2>err && fail "predictions in $bad"
  one_error
  [[ ! -s out ]] || fail "an evaluation whose predictions cannot be written: $bad"
  [[ $(grep -o "'$bad'" err | wc -l) -eq 1 ]] || fail "'$bad' is not named once: $(<err)"
done
make_faulty
run 1 ./faulty fsync late.csv 1 28 "$lockstep" eval "$first" --split train --predictions late.csv
err_has "cannot sync 'late.csv': No space left"
out_has '^confusion matrix'
[[ ! -e late.csv && -z $(ls -A | grep tmp) ]] || fail "half a file of predictions is left: $(ls -A)"

[[ -n $has_h5py ]] || { echo 'python3-h5py is not installed: the rest is left out'; finish; exit; }

# numpy's figures.
run 0 "$lockstep" eval "$final" --json
"$python" - "$final" out <<'P' || fail 'figures are not those of numpy'
import gzip, json, sys
import h5py, numpy as np
def close(a, b): return np.allclose(a, b, rtol=1e-5, atol=1e-6)
figures = json.load(open(sys.argv[2]))["test"]
labels = np.frombuffer(open("toy/t10k-labels-idx1-ubyte", "rb").read()[8:], np.uint8)
images = np.frombuffer(gzip.open("toy/t10k-images-idx3-ubyte.gz").read()[16:], np.uint8).reshape(len(labels), -1)
with h5py.File(sys.argv[1]) as f:
    x = (images - f["data"].attrs["mean"][0]) / f["data"].attrs["deviation"][0]
    logits = x @ f["model/fc/weight"][:].T.astype(float) + f["model/fc/bias"][:]
    kept = f["metrics/splits/test"]
    kept = {**kept.attrs, **{k: v[:] for k, v in kept.items()}}
    tables = {k: f["metrics/" + k][:] for k in ("train", "validation")}
with h5py.File("runs/first/metrics.h5") as f:
    alone = {**f["test"].attrs, **{k: v[:] for k, v in f["test"].items()}}
    evaluated = {**f["validation"].attrs}
p = np.exp(logits - logits.max(1, keepdims=True))
p /= p.sum(1, keepdims=True)
guess, truth = p.argmax(1), np.eye(4)[labels]
confusion = np.zeros((4, 4), int)
np.add.at(confusion, (labels, guess), 1)
hits, support, predicted = confusion.diagonal(), confusion.sum(1), confusion.sum(0)
expected = {"accuracy": hits.sum() / len(labels), "loss": -np.log(p[truth == 1]).mean(), "nll": -np.log(p[truth == 1]).mean(),
            "brier": ((p - truth) ** 2).sum(1).mean()}
for key, value in expected.items():
    assert close(figures[key], value), (key, figures[key], value)
assert (np.array(figures["confusion"]) == confusion).all()
columns = {"precision": hits / np.maximum(predicted, 1), "recall": hits / support, "f1": 2 * hits / (support + predicted),
           "support": support, "predicted": predicted, "confusion": confusion}
for of in (kept, alone):
    for key, value in {**expected, **columns, "ece": figures["ece"], "epoch": 2, "samples": len(labels)}.items():
        assert close(of[key], value), (key, of[key], value)
    for key in ("precision", "recall", "f1"):
        assert close(of["macro_" + key], columns[key].mean()), key
last = tables["validation"][-1]
for key in ("loss", "accuracy", "brier", "ece", "macro_precision", "macro_recall", "macro_f1"):
    assert close(evaluated[key], last[key]) and last[key] > 0, key
assert len(tables["validation"]) == 2 and "brier" not in tables["train"].dtype.names
P

# A run that goes on keeps no figures of the test on weights that are no more; a finished one is not touched.
run 75 "$lockstep" train --resume -o runs/second train.epochs=3 train.time_limit=0.000001
has() { "$python" -c 'import sys, h5py; sys.exit(sys.argv[2] not in h5py.File(sys.argv[1]))' "$@"; }
newest=$(ls -v runs/second/checkpoint-*.h5 | tail -n 1)
has "$newest" metrics/splits/validation || fail 'the figures of the last validation are lost'
has "$newest" metrics/splits/test && fail 'there are figures of a test on other weights'
before=$(stat -c '%i %Y' "$final")
run 0 "$lockstep" train --resume -o runs/first
[[ $(stat -c '%i %Y' "$final") == "$before" ]] || fail 'a complete checkpoint is written again'

# Killed before the test is in its last checkpoint, a run makes up for it, on the same weights.
hold_at checkpoint-12.h5 killed
launch "${held[@]}" "$lockstep" train linear.yaml -o killed
await 'the last checkpoint' $pid test -e killed/checkpoint-12.h5
kill -KILL "$(ranks_of killed)"
wait $pid
has killed/checkpoint-12.h5 metrics/splits/test && fail 'the test is there before it was made'
let_go killed
run 0 "$lockstep" train --resume -o killed
has killed/checkpoint-12.h5 metrics/splits/test || fail 'a test is not made up for'
holds 'the weights stay' 'd[0]["weights_digest"] == d[1]["weights_digest"]' killed/summary.json runs/first/summary.json

# README's three lines.
sed -n '/^### A run directory/,/^### /p' "$root/README.md" | sed -n '/^```python$/,/^```$/p' | grep -v '^```' >lines.py
[[ $(grep -c . lines.py) -eq 3 ]] || { fail 'README reads metrics.h5 in other than three lines'; cat lines.py; }
run 0 "$python" lines.py
out_has "^$(json runs/first/summary.json '"%.8s" % d["test"]["accuracy"]' | sed 's/[.]/[.]/')[0-9]+ "

# Names that CSV quotes.
"$python" - <<'P' || fail 'no dataset'
import gzip, h5py, numpy as np
with h5py.File("named.h5", "w") as f:
    for split, prefix, count in (("train", "train", 333), ("test", "t10k", 101)):
        images = np.frombuffer(gzip.open(f"toy/{prefix}-images-idx3-ubyte.gz").read()[16:], np.uint8)
        f[split + "/images"] = images.reshape(count, 1, 12, 12)
        f[split + "/labels"] = np.frombuffer(open(f"toy/{prefix}-labels-idx1-ubyte", "rb").read()[8:], np.uint8)
    f.attrs["classes"] = 4
    f.attrs["class_names"] = ["a, b", 'say "c"', "d", "e;f"]
    f.attrs["format"] = "lockstep-dataset"
P
run 0 "$lockstep" train linear.yaml -o named data.source=named.h5
run 0 "$lockstep" eval named --predictions named.csv
python3 - <<'P' || fail 'names in CSV'
import csv
names = ["a, b", 'say "c"', "d", "e;f"]
rows = list(csv.DictReader(open("named.csv")))
assert len(rows) == 101 and all(row["class_name"] == names[int(row["class"])] for row in rows)
assert len({row["class"] for row in rows}) == 4
P

finish
