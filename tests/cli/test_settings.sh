#!/usr/bin/env bash
# Values that have no effect, or not the one that they name, are reported before the first step.
source "$(dirname "$0")/lib.sh"
toy toy 60 20
toy_config
few=(data.validation=0.2 train.epochs=2) # 48 samples to train on

# notes PATTERN: the one note of the last run.
notes() {
  local form='^(member [0-9]+: )?(train|data)\.[a-z_.]+: '
  grep -hE "$form" out err | grep -qE "^$1" || { fail "'$last' does not say: $1"; head -n 5 out err; }
  [[ $(cat out err | grep -cE "$form") -eq 1 ]] || { fail "'$last' notes more"; grep -hE "$form" out err; }
}

run 0 "$lockstep" train toy.yaml "${few[@]}" train.batch=48 -o all
grep -E '^(train|data)\.' out err && fail 'a note without a reason'
limit='train.batch: 1000000000, but there are only 48 training samples: each step takes all of them'
run 0 "$lockstep" train toy.yaml "${few[@]}" train.batch=1000000000 -o large
notes "$limit"
holds 'the batch is the split' 'd[0]["weights_digest"] == d[1]["weights_digest"] and d[1]["steps"] == 2' all/summary.json large/summary.json
run 0 "$lockstep" train toy.yaml "${few[@]}" train.batch=1000000000 --dry-run
notes "$limit"
ranks 3 0 "$lockstep" train toy.yaml "${few[@]}" train.batch=1000000000 train.microbatch=4 -o ranks
notes "$limit"
run 0 "$lockstep" train toy.yaml "${few[@]}" train.batch=1000000000 ensemble.members=2 -o members
notes "member 1: $limit"
run 0 "$lockstep" bench toy.yaml "${few[@]}" train.batch=1000000000 --seconds 0.1
notes "$limit"
out_has "^$limit"
run 0 "$lockstep" bench toy.yaml "${few[@]}" train.batch=1000000000 --seconds 0.1 --json
err_has "^$limit"
json out 'd["batch"]' >/dev/null || fail "bench --json prints more than JSON: $(<out)"
ranks 2 0 "$lockstep" scale toy.yaml "${few[@]}" train.batch=1000000000 --mode strong --seconds 0.05
out_has "^$limit"

# So is the micro-batch, as an evaluation allocates one.
run 0 "$lockstep" train toy.yaml "${few[@]}" train.batch=48 train.microbatch=0.5 -o half
run 0 "$lockstep" train toy.yaml "${few[@]}" train.batch=1000000000 train.microbatch=0.5 -o large-half
notes "$limit"
holds 'half of the batch' 'd[0]["weights_digest"] == d[1]["weights_digest"]' half/summary.json large-half/summary.json
run 0 "$lockstep" eval large-half/best.h5
run 0 "$lockstep" train toy.yaml "${few[@]}" train.batch=1000000000 train.microbatch=1000000000 -o large-micro
out_has "^$limit"
out_has 'train.microbatch: 1000000000: a micro-batch is at most the batch'
run 0 "$lockstep" eval large-micro/best.h5

few+=(train.batch=24)
while IFS='|' read -r override words; do
  run 0 "$lockstep" train toy.yaml "${few[@]}" "$override" --dry-run
  notes "$words"
done <<'T'
train.microbatch=30|train.microbatch: 30: a micro-batch is at most the batch
train.adversarial.epsilon=0.25|train.adversarial.epsilon: 0.25: no effect without train.adversarial.method
train.adversarial={method: fgsm, steps: 3}|train.adversarial.steps: 3: no effect with fgsm
train.adversarial={method: noise, step_size: 0.1}|train.adversarial.step_size: 0.1: no effect with noise
train.adversarial={method: pgd, warmup_epochs: 2}|train.adversarial.warmup_epochs: 2: train.epochs ends before
train.lr_scaling=sqrt|train.lr_scaling: sqrt: no effect without train.lr_base_batch
train.early_stopping.patience=2|train.early_stopping.patience: 2: no effect, train.epochs ends before it
train.early_stopping.restore_best=false|train.early_stopping.restore_best: false: no effect without
data.augment.elastic.sigma=3|data.augment.elastic.sigma: 3: no effect without data.augment.elastic.alpha
train.schedule={type: cosine, warmup_epochs: 2}|train.schedule.warmup_epochs: 2, but train.epochs is 2: the whole run
data.augment.cutout=12|data.augment.cutout: 12, but images are 12x12
data.augment.crop_pad=12|data.augment.crop_pad: 12, but images are 12x12
T

# What cannot be is refused.
while IFS='|' read -r override words; do
  run 2 "$lockstep" train toy.yaml "${few[@]}" "$override" --dry-run
  err_has "$words"
  one_error
done <<'T'
data.per_class=1000|data.per_class: 1000 samples of each class, but class
data.validation=60|leave none to train on
checkpoint.keep=0|checkpoint.keep: expected a count of checkpoints, at least 1
train.epochs=-1|train.epochs: expected a count of epochs, at least 0
data.mean=[0.5]|data.mean: 1 of them, but 0 in data.std
T
run 2 "$lockstep" train toy.yaml "${few[@]}" 'data.mean=[0.5, 0.5]' 'data.std=[1, 1]' --dry-run
err_has "dataset 'toy': data.normalize.mean: 2 values, but the images have 1 channel"
one_error

# The published experiments say nothing of this kind.
if dpkg -s dataset-fashion-mnist >/dev/null 2>&1; then
  for config in "$root"/configs/*.yaml; do
    grep -q '^  source: imagenet$' "$config" && continue # images of another shape
    run 0 "$lockstep" train "$config" data.source=fashion-mnist --dry-run
    grep -E '^(train|data)\.' out err && fail "$config warns of its own settings"
  done
fi
finish
