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
holds 'the origin is told' 'd[0]["init_from"]["file"].startswith("before/") and len(d[0]["init_from"]["digest"]) == 32' \
  tuned/summary.json

# What was frozen is the moving average that was evaluated before.
for tensor in conv1/weight batchnorm1/running_var; do
  h5dump -y -d "/ema/$tensor" "$source" | sed '1,/DATA/d' >then
  h5dump -y -d "/model/$tensor" "tuned/checkpoint-$(newest_step tuned).h5" | sed '1,/DATA/d;/ATTRIBUTE/,$d' >now
  head -n 3 then | cmp -s - <(head -n 3 now) || fail "$tensor is not that of the file"
done

# Without training the network is the one that it came from.
run 0 "$lockstep" eval "$source" --json
cp out source.json
run 0 "$lockstep" train toy.yaml -o still "model.init_from=$source" 'model.freeze=[conv1, batchnorm1]' \
  train.optimizer.lr=1e-30 train.optimizer.momentum=0 train.epochs=1
holds 'all is loaded' 'd[0]["test"]["confusion"] == d[1]["test"]["confusion"]' still/summary.json source.json

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

# What does not fit is refused before a run directory is made.
run 2 "$lockstep" train toy.yaml -o none "model.init_from=$source"
err_has 'model.init_from: .*before'
run 2 "$lockstep" train toy.yaml -o none model.init_from=gone/best.h5 model.layers.conv1.filters=7
err_has 'layer conv1 of the model is another one'
ranks 2 2 "$lockstep" train toy.yaml -o none model.init_from=gone/best.h5 model.layers.conv1.filters=7
one_error
[[ ! -e none ]] || fail 'a refused run has left a folder'
run 0 "$lockstep" train toy.yaml --dry-run model.init_from=gone/best.h5
out_has '^  loaded: conv1.weight'
finish
