#!/usr/bin/env bash
# Training methods: moving average, optimizers, losses, learning rates, frozen layers, fewer samples; each alike on other ranks and
# after a resume in the middle.
source "$(dirname "$0")/lib.sh"
toy toy 333 101
toy_config
export LC_ALL=C

# tensors FILE GROUP: digest of the values of each dataset below GROUP, a line each.
tensors() {
  local name
  for name in $(h5dump -n 1 "$1" | awk -v group="$2/" '$1 == "dataset" && index($2, group) == 1 {print $2}'); do
    echo "${name#"$2"/} $(h5dump -y -d "$name" "$1" | sed -n '/DATA {/,$p' | md5sum)"
  done
}

# same_run LABEL NAME OPTION...: three ranks, and a run that is cut at step 6, give the bits of one whole run, in NAME.
same_run() {
  local label=$1 name=$2
  shift 2
  run 0 "$lockstep" train toy.yaml -o "$name" "$@" checkpoint.every_steps=3 checkpoint.keep=100
  ranks 3 0 "$lockstep" train toy.yaml -o "$name-ranks" "$@"
  rm -rf "$name-cut" && cp -r "$name" "$name-cut"
  find "$name-cut" -name 'checkpoint-*.h5' ! -name checkpoint-3.h5 ! -name checkpoint-6.h5 -delete
  ranks 2 0 "$lockstep" train toy.yaml -o "$name-cut" --resume "$@"
  out_has 'resuming from .*checkpoint-6.h5'
  local other
  for other in ranks cut; do
    holds "$label, $other" 'all(d[0].get(k) == d[1].get(k) for k in ("weights_digest", "ema_digest")) and d[0]["test"] == d[1]["test"]' "$name/summary.json" "$name-$other/summary.json"
  done
}

same_run plain plain
same_run 'moving average' ema train.ema=0.9
holds 'the average is beside the weights' 'd[0]["weights_digest"] == d[1]["weights_digest"] and d[0]["test"]["loss"] != d[1]["test"]["loss"] and "ema_digest" not in d[0]' plain/summary.json ema/summary.json
newest=ema/checkpoint-$(newest_step ema).h5
run 0 "$lockstep" eval "$newest" --json
cp out eval.json
holds 'the average is evaluated' 'd[0]["test"]["confusion"] == d[1]["test"]["confusion"] and abs(d[0]["test"]["loss"] - d[1]["test"]["loss"]) < 1e-9' ema/summary.json eval.json

# Nine views of each image, and eighteen, on any ranks.
for views in tta tta=flip; do
  run 0 "$lockstep" eval "$newest" "--$views" --json
  cp out tta.json
  holds "$views" 'd[0]["test"]["loss"] != d[1]["test"]["loss"] and d[0]["test"]["samples"] == 101' tta.json eval.json
  ranks 3 0 "$lockstep" eval "$newest" "--$views" --json
  holds "$views on three ranks" 'd[0] == d[1]' tta.json out
done
run 2 "$lockstep" eval "$newest" --tta=shift
err_has 'expected --tta or --tta=flip'

# The average, from the weights of every step and nothing else.
run 0 "$lockstep" train toy.yaml -o steps train.ema=0.9 train.epochs=1 checkpoint.every_steps=1 checkpoint.keep=100
for file in steps/checkpoint-*.h5; do
  for group in model ema; do
    for tensor in fc/weight conv1/bias batchnorm1/running_var; do
      h5dump -y -w 1 -m %.9g -d "/$group/$tensor" "$file" | sed -n '/DATA {/,/}/p' | grep -oE '[-0-9.e+]+,?$' | tr -d , \
        >"$file.$group.${tensor/\//.}"
    done
  done
done
python3 - <<'P' || fail "the average is not that of the steps' weights"
import glob, re, sys
steps = sorted(int(re.search(r"-(\d+)", f)[1]) for f in glob.glob("steps/checkpoint-*.h5"))
def read(step, group, tensor):
    return [float(v) for v in open(f"steps/checkpoint-{step}.h5.{group}.{tensor}")]
worst = 0
for tensor in ("fc.weight", "conv1.bias", "batchnorm1.running_var"):
    average = read(1, "ema", tensor)
    assert len(average) >= 4, tensor
    for step in steps[1:]:
        decay = min(0.9, (1 + step) / (10 + step))
        average = [decay * a + (1 - decay) * w for a, w in zip(average, read(step, "model", tensor))]
        worst = max(worst, max(abs(a - b) for a, b in zip(average, read(step, "ema", tensor))))
sys.exit(not (len(steps) == 6 and worst < 1e-6))  # some roundings of float32
P

same_run LARS lars 'train.optimizer={type: lars, lr: 10, trust: 0.01, weight_decay: 0.001}' train.ema=0.9
holds 'LARS learns' 'd[0]["test"]["accuracy"] > 0.8' lars/summary.json

# Optimizers with the most state, and with norms of directions; decay, a schedule, clipping and an average beside them. What
# the others do differs from these only within an element (unit.optim.optimizer has them all).
for kind in rmsprop lamb; do
  same_run "$kind" "by-$kind" "train.optimizer={type: $kind, weight_decay: 0.001}" train.clip_norm=1 train.ema=0.9 \
    'train.schedule={type: cosine, warmup_epochs: 0.5}'
done

# The learning rate of the first epoch, as metrics.csv has it.
rate() {
  python3 -c 'import csv, sys; print(next(csv.DictReader(open(sys.argv[1])))["learning_rate"])' "$1/metrics.csv"
}
for scaling in linear sqrt; do
  run 0 "$lockstep" train toy.yaml -o "$scaling" train.epochs=1 train.lr_base_batch=200 "train.lr_scaling=$scaling"
done
[[ $(rate linear) == 0.0125 ]] || fail "linear: the rate is $(rate linear)"
[[ $(rate sqrt) == 0.025 ]] || fail "sqrt: the rate is $(rate sqrt)"

# The focal loss, of smoothed targets too; the figures beside it are those of any loss.
same_run 'focal loss' focal 'train.loss={type: focal, gamma: 1.5, alpha: [1, 0.5, 2, 1]}' train.label_smoothing=0.1
run 0 "$lockstep" train toy.yaml -o focal-0 'train.loss={type: focal, gamma: 0}'
holds 'gamma 0 is cross-entropy' 'abs(d[0]["test"]["loss"] - d[1]["test"]["loss"]) < 1e-4 and abs(d[0]["test"]["loss"] - d[0]["test"]["nll"]) < 1e-5' focal-0/summary.json plain/summary.json
holds 'focal is another loss' '0 < d[0]["test"]["loss"] < d[0]["test"]["nll"]' focal/summary.json
run 0 "$lockstep" eval "focal/checkpoint-$(newest_step focal).h5" --json
holds 'a checkpoint keeps its loss' 'd[0]["test"]["loss"] == d[1]["test"]["loss"]' out focal/summary.json
run 0 "$lockstep" attack "focal/checkpoint-$(newest_step focal).h5" --method fgsm --epsilon 0.1
run 2 "$lockstep" train toy.yaml -o none 'train.loss={type: focal, alpha: [1, 2, 3]}'
err_has 'train.loss.alpha: 3 weights, but there are 4 classes'
run 2 "$lockstep" train toy.yaml -o none 'train.loss={type: focal, gamma: -1}'
err_has 'train.loss.gamma: expected a number, at least 0, found .-1'

# Frozen layers keep their bits, running statistics too; others do not.
same_run frozen frozen 'model.freeze=[conv1, batch*]' train.ema=0.5
tensors frozen/checkpoint-3.h5 /model >then
tensors "frozen/checkpoint-$(newest_step frozen).h5" /model >now
diff then now >changes
grep -qE 'conv1|batchnorm1' changes && fail 'a frozen layer has changed'
grep -cE 'conv1|batchnorm1' now | grep -qx 6 || fail 'not six tensors are frozen'
grep -q fc/weight changes || fail 'the trained layer has not changed'
run 0 "$lockstep" train toy.yaml -o single model.layers.conv1.freeze=true model.layers.fc.lr_factor=0.1 --dry-run
out_has 'conv1 .*\(frozen\)'
run 2 "$lockstep" train toy.yaml -o none 'model.freeze=[conv2]'
err_has "model.freeze: no layer is called 'conv2'"
run 2 "$lockstep" train toy.yaml -o none 'model.freeze=["*"]'
err_has 'every layer with weights is frozen'
[[ ! -e none ]] || fail 'a refused run has left a folder'
run 2 "$lockstep" train toy.yaml -o frozen --resume 'model.freeze=[conv1]' train.ema=0.5
err_has 'model.freeze: the checkpoint'

# A part of each class: the steps of an epoch show how many; the validation split is that of the whole.
same_run 'ten of each class' few data.per_class=10 train.batch=20 train.microbatch=8
holds 'forty samples' 'd[0]["steps"] == 6 and sum(map(sum, d[0]["validation"]["confusion"])) == 67' few/summary.json
run 0 "$lockstep" eval "few/checkpoint-$(newest_step few).h5" --split train --json
holds 'ten of each class' 'list(map(sum, d[0]["train"]["confusion"])) == [10] * 4' out
run 0 "$lockstep" train toy.yaml --dry-run data.per_class=10 train.batch=39
err_has 'the last batch of an epoch has 1 sample instead of 39.*try train.batch=26'
run 0 "$lockstep" train toy.yaml --dry-run data.per_class=10 train.batch=26
[[ ! -s err ]] || fail 'warned of a last batch of 14'
run 2 "$lockstep" train toy.yaml -o none data.per_class=80
err_has 'data.per_class: 80 samples of each class'
finish
