#!/usr/bin/env bash
# Transfer: a run that starts from another one's weights, on any ranks, and after a resume without that file.
source "$(dirname "$0")/lib.sh"
toy toy 333 101
toy_config
run 0 "$lockstep" train toy.yaml -o before train.ema=0.9
source=before/checkpoint-$(newest_step before).h5
head=(data.classes=6 model.layers.fc.units=6)

run 0 "$lockstep" train toy.yaml -o tuned "${head[@]}" "model.init_from=$source" 'model.freeze=[conv1, batch*]' \
  checkpoint.every_steps=3 checkpoint.keep=100
out_has "weights from $source"
out_has '^  loaded: conv1.weight, conv1.bias, batchnorm1.weight, batchnorm1.bias, batchnorm1.running_mean'
out_has '^  initialized: fc.weight, fc.bias'
out_has 'the features of the frozen layers are computed once: 125 values a sample'
frozen='model.freeze=[conv1, batch*]'
computes_anew() { # ARG...: features that change, or that nobody needs, are not kept
  rm -rf anew
  run 0 "$lockstep" train toy.yaml -o anew train.epochs=2 "$@"
  ! grep 'features of the frozen' out || fail "'$last' keeps features"
}
computes_anew 'model.freeze=[batch*]'
computes_anew "$frozen" data.augment.mixup=0.5
computes_anew "$frozen" 'data.augment={shift: 1}'
computes_anew "$frozen" 'train.adversarial={method: fgsm, epsilon: 0.1}'
computes_anew "$frozen" train.epochs=0
computes_anew "$frozen" train.epochs=1
holds 'the origin is reported' 'd[0]["init_from"]["file"].startswith("before/") and len(d[0]["init_from"]["digest"]) == 32' \
  tuned/summary.json

# What was frozen is the moving average that was evaluated before.
for tensor in conv1/weight batchnorm1/running_var; do
  h5dump -y -d "/ema/$tensor" "$source" | sed '1,/DATA/d' >then
  h5dump -y -d "/model/$tensor" "tuned/checkpoint-$(newest_step tuned).h5" | sed '1,/DATA/d;/ATTRIBUTE/,$d' >now
  head -n 3 then | cmp -s - <(head -n 3 now) || fail "$tensor is not that of the file"
done

# Without training the network is the one that it came from, on any ranks, and every command takes it.
run 0 "$lockstep" eval "$source" --json
cp out source.json
run 0 "$lockstep" train toy.yaml -o still "model.init_from=$source" train.epochs=0
out_has 'nothing is trained'
ranks 2 0 "$lockstep" train toy.yaml -o still2 "model.init_from=$source" train.epochs=0
holds 'all is loaded' 'd[0]["test"] == d[1]["test"] and d[0]["validation"]["samples"] > 0 and d[0]["steps"] == 0' \
  still/summary.json source.json
holds 'two ranks' 'd[0]["weights_digest"] == d[1]["weights_digest"] and d[0]["test"] == d[1]["test"]' \
  still/summary.json still2/summary.json
for file in config.yaml checkpoint-0.h5 metrics.h5 metrics.csv; do [[ -e still/$file ]] || fail "no still/$file"; done
run 0 "$lockstep" eval still/checkpoint-0.h5 --json
holds 'it is evaluated' 'd[0]["test"] == d[1]["test"]' out source.json
run 0 "$lockstep" attack still/checkpoint-0.h5 --method fgsm --epsilon 0.1 --json
run 0 "$lockstep" inspect still/checkpoint-0.h5
picture digit.png
run 0 "$lockstep" predict still/checkpoint-0.h5 digit.png --raw --json

# And going on from there is training from the start, to the bit.
for run in still still2; do
  run 0 "$lockstep" train toy.yaml -o $run --resume "model.init_from=$source" train.epochs=2 train.ema=0
  out_has "resuming from $run/checkpoint-0.h5: 0 steps are done"
done
run 0 "$lockstep" train toy.yaml -o whole "model.init_from=$source" train.epochs=2
holds 'from 0 epochs on' 'd[0]["weights_digest"] == d[1]["weights_digest"] == d[2]["weights_digest"]' \
  whole/summary.json still/summary.json still2/summary.json
run 0 "$lockstep" train toy.yaml -o still --resume "model.init_from=$source" train.epochs=2
out_has 'all epochs are done'
run 0 "$lockstep" train toy.yaml -o averaged train.epochs=0 train.ema=0.9
run 0 "$lockstep" train toy.yaml -o averaged --resume train.epochs=2 train.ema=0.9
run 0 "$lockstep" train toy.yaml -o unbroken train.epochs=2 train.ema=0.9
holds 'with an average' 'd[0]["ema_digest"] == d[1]["ema_digest"]' averaged/summary.json unbroken/summary.json

# Few images do not show what weights from elsewhere want; a mean and deviation that are given do.
few='mean and deviation of [0-9]+ training images; the weights of model.init_from'
err_has_not() { grep -qE -- "$1" err && fail "'$last' says: $1"; }
run 0 "$lockstep" train toy.yaml --dry-run "model.init_from=$source"
err_has "$few"
run 0 "$lockstep" train toy.yaml --dry-run "model.init_from=$source" data.normalize=unit
err_has_not "$few"
run 0 "$lockstep" train toy.yaml -o given "model.init_from=$source" 'data.mean=[0.25]' 'data.std=[0.5]' train.epochs=0
err_has_not "$few"
h5dump -a /data/mean -a /data/deviation given/checkpoint-0.h5 >given.txt
grep -q ': 63.75$' given.txt && grep -q ': 127.5$' given.txt || fail 'not the mean and deviation that were given'
run 2 "$lockstep" train toy.yaml -o given --resume "model.init_from=$source" 'data.mean=[0.3]' 'data.std=[0.5]'
err_has 'data.normalize: the checkpoint.s is not the configured one'

# Layers that find no weights are warned of, in a dry run too; but not those of a new head.
run 0 "$lockstep" train toy.yaml --dry-run "model.init_from=$source" "${head[@]}"
err_has_not 'lacks tensors'
run 0 "$lockstep" train toy.yaml --dry-run "model.init_from=$source" 'model.layers[1].name=norm'
err_has "lacks tensors of 1 layer, which starts as initialized: norm$"

# The same on three ranks; a resume needs no file, and keeps its digest.
ranks 3 0 "$lockstep" train toy.yaml -o ranks "${head[@]}" "model.init_from=$source" 'model.freeze=[conv1, batch*]'
holds 'three ranks' 'd[0]["weights_digest"] == d[1]["weights_digest"]' tuned/summary.json ranks/summary.json
mv before gone
cp -r tuned cut
find cut -name 'checkpoint-*.h5' ! -name checkpoint-3.h5 ! -name checkpoint-6.h5 -delete
ranks 2 0 "$lockstep" train toy.yaml -o cut --resume "${head[@]}" "model.init_from=$source" 'model.freeze=[conv1, batch*]'
out_has 'resuming from cut/checkpoint-6.h5'
holds 'resumed' 'd[0]["weights_digest"] == d[1]["weights_digest"] and d[0]["init_from"] == d[1]["init_from"]' \
  tuned/summary.json cut/summary.json

# The error for a damaged archive says so.
printf "PK\003\004" >model.pt
run 2 "$lockstep" train toy.yaml -o none model.init_from=model.pt
err_has "'model.pt': its zip archive cannot be read"

# What does not fit is refused before a run directory is made.
run 2 "$lockstep" train toy.yaml -o none "model.init_from=$source"
err_has 'model.init_from: .*before'
run 2 "$lockstep" train toy.yaml -o none model.init_from=gone/best.h5 model.layers.conv1.filters=7
err_has 'layer conv1 of the model is another one'
ranks 2 2 "$lockstep" train toy.yaml -o none model.init_from=gone/best.h5 model.layers.conv1.filters=7
one_error
[[ ! -e none ]] || fail 'a refused run has left a folder'
run 0 "$lockstep" train toy.yaml --dry-run model.init_from=gone/best.h5
err_has_not 'lacks tensors'
out_has '^  loaded: conv1.weight'
finish
