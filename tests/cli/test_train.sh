#!/usr/bin/env bash
# Training: run directory, summary, the same result on any number of ranks, evaluation, resume.
source "$(dirname "$0")/lib.sh"
toy toy 333 101
toy_config

run 0 "$lockstep" train toy.yaml -o one
out_has 'epoch +3/3 .*loss .*val'
for file in config.yaml best.h5 metrics.h5 metrics.csv summary.json; do
  [[ -s one/$file ]] || fail "one/$file is missing"
done
[[ $(ls one/checkpoint-*.h5 | wc -l) -eq 3 ]] || fail "not three checkpoints: $(ls one)"
[[ -z $(ls -A one | grep tmp) ]] || fail "temporary files are left: $(ls -A one)"
holds 'summary' 'd[0]["test"]["accuracy"] > 0.9 and d[0]["ranks"] == 1 and d[0]["epochs"] == 3 and d[0]["seed"] == 1' one/summary.json
holds 'every test sample once' 'sum(map(sum, d[0]["test"]["confusion"])) == 101' one/summary.json
holds 'validation is held out' 'sum(map(sum, d[0]["validation"]["confusion"])) == 67' one/summary.json
holds 'support' '[c["support"] for c in d[0]["test"]["per_class"]] == list(map(sum, d[0]["test"]["confusion"]))' one/summary.json

# A byte order mark before the configuration is no matter.
{ printf '\xEF\xBB\xBF'; cat toy.yaml; } >marked.yaml
run 0 "$lockstep" train marked.yaml --dry-run

# The resolved configuration trains to the same weights.
run 0 "$lockstep" train one/config.yaml -o again
holds 'resolved configuration' 'd[0]["weights_digest"] == d[1]["weights_digest"]' one/summary.json again/summary.json

for count in 2 3 5 8; do
  ranks "$count" 0 "$lockstep" train toy.yaml -o "ranks$count"
  holds "$count ranks" 'd[0]["weights_digest"] == d[1]["weights_digest"] and d[1]["ranks"] > 1' one/summary.json "ranks$count/summary.json"
  holds "$count ranks" 'abs(d[0]["test"]["loss"] - d[1]["test"]["loss"]) < 1e-9' one/summary.json "ranks$count/summary.json"
  python3 - "one/metrics.csv" "ranks$count/metrics.csv" <<'P' || fail "losses of the first epoch differ on $count ranks"
import csv, sys
a, b = (next(csv.DictReader(open(f))) for f in sys.argv[1:])
sys.exit(not all(abs(float(a[k]) - float(b[k])) < 1e-4 for k in ("train_loss", "validation_loss")))
P
done

OMP_NUM_THREADS=3 run 0 "$lockstep" train toy.yaml -o threads3
holds 'three threads' 'd[0]["weights_digest"] == d[1]["weights_digest"] and d[1]["threads"] == 3' one/summary.json threads3/summary.json

# More ranks than samples.
toy tiny 5 3
ranks 8 0 "$lockstep" train toy.yaml data.source=tiny data.validation=0 data.classes=4 train.batch=3 train.microbatch=1 -o tiny-run
holds 'every rank has its times' '(lambda b: b["steps"] == d[0]["steps"] and len(b["busy_seconds"]) == 8 and
  b["busy_seconds"][b["slowest_rank"]] == max(b["busy_seconds"]) and min(b["waited_seconds"]) == 0 and
  len(b["slowest_host"]) > 0)(d[0]["balance"])' tiny-run/summary.json
holds 'tiny' 'd[0]["steps"] == 6 and sum(map(sum, d[0]["test"]["confusion"])) == 3' tiny-run/summary.json

# Evaluation of a checkpoint gives what the summary says; several vote.
newest=$(ls -v one/checkpoint-*.h5 | tail -n 1)
run 0 "$lockstep" eval "$newest" --json
cp out eval.json
holds 'eval equals summary' 'd[0]["test"]["confusion"] == d[1]["test"]["confusion"]' one/summary.json eval.json
ranks 3 0 "$lockstep" eval "$newest" --json
cp out eval3.json
holds 'eval on three ranks' 'd[0]["test"]["confusion"] == d[1]["test"]["confusion"]' eval.json eval3.json
run 0 "$lockstep" eval "$newest" "$newest"
out_has 'accuracy'
run 0 "$lockstep" eval "$newest" --split validation --json
cp out validation.json
holds 'validation split' 'd[0]["validation"]["confusion"] == d[1]["validation"]["confusion"]' one/summary.json validation.json

# A run that is killed after an epoch and resumed equals the uninterrupted one, also from a middle step and on
# another number of ranks.
run 0 "$lockstep" train toy.yaml -o whole checkpoint.every_steps=3 checkpoint.keep=100
for step in 3 6 9 12; do
  rm -rf cut && cp -r whole cut
  for file in cut/checkpoint-*.h5; do
    number=${file##*-}
    [[ ${number%.h5} -le $step ]] || rm "$file"
  done
  run 0 "$lockstep" train toy.yaml -o cut --resume checkpoint.every_steps=3
  out_has "resuming from cut/checkpoint-$step.h5"
  rm -rf cut2 && cp -r whole cut2
  for file in cut2/checkpoint-*.h5; do
    number=${file##*-}
    [[ ${number%.h5} -le $step ]] || rm "$file"
  done
  ranks 2 0 "$lockstep" train toy.yaml -o cut2 --resume checkpoint.every_steps=3
  holds "resumed from step $step on two ranks" 'd[0]["weights_digest"] == d[1]["weights_digest"]' whole/summary.json cut2/summary.json
  holds "resumed from step $step" 'd[0]["weights_digest"] == d[1]["weights_digest"] and d[0]["test"]["loss"] == d[1]["test"]["loss"]' whole/summary.json cut/summary.json
done
run 0 "$lockstep" train toy.yaml -o fresh-run --resume
out_has 'no checkpoint in fresh-run'
finish
