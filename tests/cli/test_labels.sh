#!/usr/bin/env bash
# Several labels for an image, and numbers: trained alike on other ranks and after a resume, with figures that numpy finds too,
# predicted, and refused by what is about classes.
source "$(dirname "$0")/lib.sh"
python=/usr/bin/python3 # whose h5py is the distribution's
"$python" -c 'import h5py' 2>/dev/null || { echo "SKIPPED: $python has no h5py"; exit 77; }

# Bright stripes: which of them there are, and how bright the image is.
"$python" - <<'P'
import h5py, numpy as np
rng = np.random.default_rng(1)
names = np.array(["top", "middle", "bottom"], "S")
with h5py.File("several.h5", "w") as flags, h5py.File("values.h5", "w") as values:
    flags.attrs.update(format="lockstep-dataset", classes=3, class_names=names)
    values.attrs.update(format="lockstep-dataset")
    for split, count in ("train", 333), ("test", 101):
        y = rng.random((count, 3)) < 0.4
        x = rng.integers(0, 120, (count, 1, 12, 12)) + 40 * y.repeat(4, 1)[:, None, :, None]
        for file, labels in (flags, y.astype("u1")), (values, x.reshape(count, 3, 48).mean(2)[:, :2] / 40):
            file[f"{split}/images"], file[f"{split}/labels"] = x.astype("u1"), labels
P
cat >several.yaml <<'Y'
name: several
data: {source: several.h5, validation: 0.2}
model: {layers: [{type: flatten}, {type: dense, name: fc, units: 3}]}
train: {epochs: 2, batch: 50, microbatch: 8, loss: bce, optimizer: {type: adam, lr: 0.01}}
Y
sed 's/several/values/g; s/units: 3/units: 2/; s/bce/mse/' several.yaml >values.yaml

for name in several values; do
  run 0 "$lockstep" train $name.yaml -o $name checkpoint.every_steps=3 checkpoint.keep=100
  ranks 3 0 "$lockstep" train $name.yaml -o $name-ranks
  cp -r $name $name-cut
  find $name-cut -name 'checkpoint-*.h5' ! -name checkpoint-3.h5 -delete
  ranks 2 0 "$lockstep" train $name.yaml -o $name-cut --resume
  for other in ranks cut; do
    holds "$name, $other" 'all(d[0][k] == d[1][k] for k in ("weights_digest", "test", "validation"))' $name/summary.json $name-$other/summary.json
  done
  run 0 "$lockstep" eval $name/best.h5 --json --predictions $name.csv
  cp out $name.json
done

# The figures, the rows and the tables are those of numpy.
"$python" - <<'P' || fail 'other figures than those of numpy'
import csv, h5py, json, numpy as np
def network(name):
    with h5py.File(f"{name}/best.h5") as f, h5py.File(f"{name}.h5") as data:
        x = data["test/images"][:].reshape(101, -1).astype(float)
        x = (x - f["data"].attrs["mean"][0]) / f["data"].attrs["deviation"][0]
        z = x @ f["model/fc/weight"][:].T.astype(float) + f["model/fc/bias"][:]
        y = data["test/labels"][:].astype("f4").astype(float)
        last = f["metrics/validation"][-1]
    rows = list(csv.DictReader(open(f"{name}.csv")))
    table = list(csv.DictReader(open(f"{name}/metrics.csv")))[-1]
    return z, y, json.load(open(f"{name}.json"))["test"], rows, last, table
close = lambda a, b: np.allclose(a, b, rtol=2e-5, atol=2e-6)
z, y, test, rows, last, table = network("several")
p, holds = 1 / (1 + np.exp(-z)), z > 0
hits = (holds & (y == 1)).sum(0)
assert close(test["loss"], -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean()), test["loss"]
assert close(test["accuracy"], (holds == y).all(1).mean())
assert close(test["micro_f1"], 2 * hits.sum() / (holds.sum() + y.sum()))
assert close(test["macro"]["f1"], (2 * hits / (holds.sum(0) + y.sum(0))).mean())
assert [c["label"] for c in test["per_class"]] == ["top", "middle", "bottom"] and "confusion" not in test
assert close([[float(r[f"output_{k}"]) for k in range(3)] for r in rows], p)
assert close([[float(r[f"label_{k}"]) for k in range(3)] for r in rows], y) and [int(r["index"]) for r in rows] == list(range(101))
assert last["mean_average_precision"] > 0.5 and "mae" not in last.dtype.names and "ece" not in last.dtype.names
assert close(float(table["validation_micro_f1"]), last["micro_f1"]) and float(table["train_accuracy"]) > 0
z, y, test, rows, last, table = network("values")
assert close(test["loss"], ((z - y) ** 2).mean()) and close(test["rmse"], test["loss"] ** 0.5) and "accuracy" not in test
assert close(test["mae"], abs(z - y).mean())
assert close(test["r2"], (1 - ((z - y) ** 2).sum(0) / ((y - y.mean(0)) ** 2).sum(0)).mean())
assert close([[float(r[f"output_{k}"]) for k in range(2)] for r in rows], z)
assert table["train_accuracy"] == table["validation_accuracy"] == "" and close(float(table["validation_r2"]), last["r2"])
P
run 0 "$lockstep" train --resume -o values train.epochs=3
! grep -q 'acc [0-9]' out || fail 'an accuracy of values is shown'
out_has 'test: loss .* \(101 samples\)'
out_has 'mean absolute error'

# What a picture has.
run 0 "$lockstep" data preview several.h5 -o several.png
for name in several values; do
  run 0 "$lockstep" predict $name/best.h5 several.png --json
  cp out predicted.json
  holds "$name: what a picture has" 'len(d[0]["predictions"]) == 1 and "runner_up" not in d[0]["predictions"][0]' predicted.json
done
holds 'values of a picture' 'len(d[0]["predictions"][0]["values"]) == 2' predicted.json

# What is about classes, and labels that a loss does not take.
run 2 "$lockstep" attack several/best.h5 --method fgsm --epsilon 0.1
err_has "an attack changes the class .* trained with the loss bce"
run 2 "$lockstep" eval several/best.h5 several/best.h5
err_has 'several networks vote on the class'
run 2 "$lockstep" train several.yaml --dry-run train.loss=cross_entropy
err_has "train.loss: cross_entropy: it is for images that have one class, but those of 'several' have several labels"
run 2 "$lockstep" train several.yaml --dry-run 'model.layers[1]={type: softmax}'
err_has 'softmax is for classes'
run 2 "$lockstep" train values.yaml --dry-run train.early_stopping.metric=accuracy
err_has 'train.early_stopping.metric: it means nothing for the labels of the loss mse'
run 2 "$lockstep" eval values/best.h5 --data several.h5
err_has 'has 3 labels or values for each image, not 2'

# Values that losses are too coarse for, or too small, and flags that are read as values after half a run.
"$python" - <<'P'
import h5py
def write(name, source, scale):
    with h5py.File(source) as data, h5py.File(name, "w") as scaled:
        scaled.attrs["format"] = "lockstep-dataset"
        for split in "train", "test":
            scaled[f"{split}/images"] = data[f"{split}/images"][:]
            scaled[f"{split}/labels"] = (data[f"{split}/labels"][:] * scale).astype("f4")
write("tiny.h5", "values.h5", 1e-5)
write("huge.h5", "values.h5", 2000)
write("floats.h5", "several.h5", 1)
P
for name in tiny huge; do
  run 2 "$lockstep" train values.yaml --dry-run data.source=$name.h5
  err_has "the values of '$name' have a standard deviation of .*: scale the labels"
done
run 0 "$lockstep" train several.yaml data.source=floats.h5 train.epochs=1 -o floats
run 2 "$lockstep" train several.yaml data.source=floats.h5 train.loss=mse -o floats --resume
err_has "train.loss: the checkpoint's takes labels as 'several', the configured one as 'values'"
finish
