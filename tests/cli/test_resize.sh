#!/usr/bin/env bash
# Images of another size and number of channels than the files': the same in every command, on any ranks.
source "$(dirname "$0")/lib.sh"
toy toy 120 41
toy_config
made=(data.resize=[10,16] data.channels=3 train.epochs=1)

run 0 "$lockstep" train toy.yaml "${made[@]}" -o one
out_has 'toy: 3x10x16, 4 classes.*from 1x12x12'
ranks 3 0 "$lockstep" train toy.yaml "${made[@]}" -o three
run 0 "$lockstep" data import toy --resize 10x16 --channels 3 -o made.h5
run 0 "$lockstep" train toy.yaml data.source=made.h5 train.epochs=1 -o imported
for other in three imported; do
  holds "$other is the same run" 'd[0]["weights_digest"] == d[1]["weights_digest"] and d[0]["test"] == d[1]["test"]' \
    one/summary.json $other/summary.json
done

# The checkpoint's data are read as it was trained, others too, and pictures become what the network takes.
for data in '' '--data made.h5' "--data $PWD/other"; do
  [[ -e other ]] || cp -r toy other
  run 0 "$lockstep" eval one $data --json
  cp out eval.json
  holds "eval $data" 'd[0]["test"] == d[1]["test"]' eval.json one/summary.json
done
run 0 "$lockstep" attack one --method fgsm --epsilon 0 --json
cp out attack.json
holds 'attack' 'd[0]["results"][0]["accuracy"] == d[1]["test"]["accuracy"]' attack.json one/summary.json
picture corner.png
run 0 "$lockstep" predict one corner.png --json

run 0 "$lockstep" data info toy --resize 10x16 --channels 3 --json
cp out toy.json
run 0 "$lockstep" data info made.h5 --json
cp out made.json
holds 'data info' 'd[0]["shape"] == [3, 10, 16] and d[0]["digest"] == d[1]["digest"]' toy.json made.json
run 2 "$lockstep" data info toy --resize 10x
err_has '[-][-]resize 10x: expected a number of pixels from 1 to 65536, or two of them'

# ---- refused, with the remedy ----
run 2 "$lockstep" train toy.yaml data.shape=[3,16,16]
one_error
err_has 'data.shape: 3x16x16, but the images of .toy. are 1x12x12; try: data.resize=\[16,16\] data.channels=3'
run 2 "$lockstep" train toy.yaml data.source=made.h5 data.channels=1
one_error
err_has 'data.channels: 1 .*have 3: only a single channel can be repeated; leave it out'
finish
