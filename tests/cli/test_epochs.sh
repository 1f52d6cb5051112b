#!/usr/bin/env bash
# What a run decides from one epoch to the next, and what it says of an epoch, worked out again from its own tables: the
# schedule and the best epoch follow what was validated, and an epoch's figures and seconds are its own, also after stops.
source "$(dirname "$0")/lib.sh"

# Noise whose labels are half chance: what is trained on gets better, what is validated does as it likes.
python3 - <<'P'
import os, random, struct
os.mkdir("noise")
r = random.Random(5)
for prefix, count in (("train", 303), ("t10k", 41)):
    images = bytearray(r.randrange(256) for _ in range(count * 16))
    labels = bytes(images[16 * i] // 86 if r.random() < 0.5 else r.randrange(3) for i in range(count))
    open(f"noise/{prefix}-images-idx3-ubyte", "wb").write(struct.pack(">IIII", 0x803, count, 4, 4) + images)
    open(f"noise/{prefix}-labels-idx1-ubyte", "wb").write(struct.pack(">II", 0x801, count) + labels)
P
cat >noise.yaml <<'Y'
name: noise
data: {source: noise, validation: 100}
model: {layers: [{type: flatten}, {type: dense, units: 30}, {type: tanh}, {type: dense, name: fc, units: 3}]}
train: {epochs: 14, batch: 20, microbatch: 5, optimizer: {type: sgd, lr: 0.2}}
checkpoint: {keep: 1}
Y

# An independent plateau schedule and choice of the best epoch. The run's table agrees at every epoch; with `one` it does so
# for this split and metric alone, so that a mixed-up one would be seen.
cat >decide.py <<'P'
import csv, sys
folder, split, metric, min_delta, best, alone = sys.argv[1:]
rows = [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(open(folder + "/metrics.csv"))]
signs = {"loss": -1, "accuracy": 1}
def rates(key, sign):
    """ReduceLROnPlateau with patience 1, factor 0.7 and a threshold of 0: the rate of each epoch."""
    rate, most, bad, out = 1.0, None, 0, []
    for row in rows:
        out.append(rate)
        if most is None or sign * row[key] > most:
            most, bad = sign * row[key], 0
        else:
            bad += 1
        if bad > 1:
            rate, bad = rate * 0.7, 0
    return out
def best_epoch(key, sign):
    best = 0
    for i, row in enumerate(rows):
        if sign * (row[key] - rows[best][key]) > float(min_delta):
            best = i
    return best + 1
found = [row["learning_rate"] / rows[0]["learning_rate"] for row in rows]
decided = {(s, m): rates(f"{s}_{m}", signs[m]) for s in ("train", "validation") if f"{s}_loss" in rows[0] for m in signs}
same = [key for key, wanted in decided.items() if all(abs(a / b - 1) < 1e-6 for a, b in zip(found, wanted))]
assert len(rows) == 14 and (split, metric) in same, (found, decided)
assert alone != "one" or len(same) == 1, same
assert best == "-" or int(best) == best_epoch(f"{split}_{metric}", signs[metric]), (best, rows)
P

# best_of RUN_DIR: the epoch that best.h5 was written after.
best_of() { "$lockstep" inspect "$1/best.h5" | sed -nE 's/^  progress +([0-9]+) epochs?,.*/\1/p'; }

for metric in loss accuracy; do
  plateau="train.schedule={type: plateau, patience: 1, factor: 0.7, threshold: 0, metric: $metric}"
  for min_delta in 0 0.025; do
    run 0 "$lockstep" train noise.yaml -o "by-$metric-$min_delta" "$plateau" train.early_stopping.metric=$metric \
      train.early_stopping.min_delta=$min_delta
    python3 decide.py "by-$metric-$min_delta" validation $metric $min_delta "$(best_of "by-$metric-$min_delta")" one ||
      fail "plateau or best epoch by $metric, min_delta $min_delta"
  done
  run 0 "$lockstep" train noise.yaml -o "blind-$metric" "$plateau" data.validation=0
  python3 decide.py "blind-$metric" train $metric 0 - any || fail "plateau by $metric without a validation split"
done

# The weights of a run that restores the best are those of that epoch: best.h5's.
run 0 "$lockstep" train noise.yaml -o restored 'train.early_stopping={patience: 13, restore_best: true}'
[[ $(best_of restored) -lt 14 ]] || fail 'the last epoch is the best: this shows nothing'
[[ $(json restored/summary.json 'd["checkpoint"]') == best.h5 ]] || fail 'the best weights are not restored'
run 0 "$lockstep" eval restored/best.h5 --json
holds 'what was restored is what is reported' 'd[0]["test"]["confusion"] == d[1]["test"]["confusion"]' out restored/summary.json
run 0 "$lockstep" eval restored/best.h5 --split validation --json
python3 - out restored/metrics.csv <<'P' || fail 'best.h5 is not the epoch of the least validation loss'
import csv, json, sys
figures = json.load(open(sys.argv[1]))["validation"]
assert abs(figures["loss"] - min(float(row["validation_loss"]) for row in csv.DictReader(open(sys.argv[2])))) < 1e-6
P

# Weights that stand still: every epoch says the same of them.
run 0 "$lockstep" train noise.yaml -o still train.optimizer.lr=1e-30
python3 - still/metrics.csv <<'P' || fail 'an epoch reports others too'
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1])))
assert [int(row["epoch"]) for row in rows] == list(range(1, 15))
assert [int(row["step"]) for row in rows] == [11 * (i + 1) for i in range(14)]
for key in ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy"):
    values = [float(row[key]) for row in rows]
    assert values[0] > 0 and max(values) - min(values) < 1e-6 * values[0], (key, values)
P

# seconds_of RUN_DIR: those of all epochs together, and those that its last checkpoint counts.
seconds_of() {
  tail -n +2 "$1/metrics.csv" | awk -F, '{sum += $NF} END {printf "%.9g ", sum}'
  h5dump -m %.12g -a /progress/seconds "$(ls -v "$1"/checkpoint-*.h5 | tail -n 1)" | sed -nE 's/.*\(0\): ([0-9.e+-]+).*/\1/p'
}

# An epoch's seconds are its own: together they are those of the run; so too of one that is stopped again and again, within
# epochs and at their ends, which comes to the same table.
run 0 "$lockstep" train noise.yaml -o whole train.epochs=3
for ((i = 0; i < 13; i++)); do
  run 75 "$lockstep" train noise.yaml -o stopped train.epochs=3 train.time_limit=0.000001 --resume
done
run 0 "$lockstep" train noise.yaml -o stopped train.epochs=3 --resume
for folder in whole stopped; do
  seconds_of $folder >seconds
  awk '{exit !($1 > 0 && ($1 - $2) ^ 2 < 1e-8 * $2 ^ 2)}' seconds || fail "$folder: seconds of all epochs and of the run: $(cat seconds)"
done
for folder in whole stopped; do sed 's/,[^,]*$//' $folder/metrics.csv >$folder.csv; done
cmp whole.csv stopped.csv || fail 'stops change the table of the epochs'
finish
