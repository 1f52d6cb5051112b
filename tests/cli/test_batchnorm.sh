# A batch norm over single pixels is never trained on one sample: it would have no variance to divide by.
source "$(dirname "$0")/lib.sh"
toy toy 99 20
export LIBXSMM_TARGET=generic # kernels whose sums do not depend on the width of a product

# net LAYER [FIRST]: a network with LAYER behind a dense layer, and FIRST on the images.
net() {
  cat >net.yaml <<Y
name: net
data: {source: toy}
model:
  layers:
    - ${2:-{type: relu\}}
    - {type: flatten}
    - {type: dense, units: 12}
    - $1
    - {type: relu}
    - {type: dense, units: 4}
train: {epochs: 2, batch: 33, microbatch: 16, optimizer: {type: sgd, lr: 0.05}}
Y
}
net '{type: batchnorm, name: norm}'

# Refused before the first step, with what to do; and what is advised works.
run 2 "$lockstep" train net.yaml train.microbatch=1 -o one
err_has "layer 'norm' would be trained on one value per channel.* train.microbatch 1 .*try: train.microbatch=32"
one_error
[[ ! -e one ]] || fail "a refused run made its folder"
run 0 "$lockstep" train net.yaml train.microbatch=32 -o thirtytwo
run 2 "$lockstep" train net.yaml train.batch=49 --dry-run
err_has 'with train.batch 49, an epoch of 99 samples ends with a batch of one; try: train.batch=48'
run 0 "$lockstep" train net.yaml train.batch=48 -o fortyeight
run 2 "$lockstep" train net.yaml train.batch=1
err_has "layer 'norm' would be trained on one value"
run 2 "$lockstep" train net.yaml train.microbatch=2
err_has 'train.microbatch 2 leaves micro-batches of one sample'
run 2 "$lockstep" bench net.yaml train.microbatch=1 --seconds 0.01
err_has "layer 'norm' would be trained on one value"

# 33 samples in micro-batches of 16: 16, 9 and 8, on any ranks and threads. 17: 9 and 8, as in micro-batches of 9.
run 0 "$lockstep" train net.yaml -o ranks1
ranks 2 0 "$lockstep" train net.yaml -o ranks2
ranks 3 0 "$lockstep" train net.yaml -o ranks3
run 0 env OMP_NUM_THREADS=2 "$lockstep" train net.yaml -o threads2
holds 'the same bits' 'len({x["weights_digest"] for x in d}) == 1' {ranks1,ranks2,ranks3,threads2}/summary.json
run 0 "$lockstep" train net.yaml data.validation=31 train.batch=17 -o evened
run 0 "$lockstep" train net.yaml data.validation=31 train.batch=17 train.microbatch=9 -o nine
holds 'a rest of one is evened out' 'd[0]["weights_digest"] == d[1]["weights_digest"]' {evened,nine}/summary.json

# Where there are more values, or no training, all is as before.
net '{type: batchnorm, freeze: true}'
run 0 "$lockstep" train net.yaml train.microbatch=1 --dry-run
net '{type: relu}' '{type: batchnorm}'
run 0 "$lockstep" train net.yaml train.microbatch=1 train.batch=49 --dry-run
out_has '^batchnorm1 .*1x12x12'
finish
