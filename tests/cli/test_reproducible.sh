#!/usr/bin/env bash
# The same bits on any number of ranks and threads, through stops and resumes on other numbers, of a net with all
# that could disturb them: dropout, batch norm, residual, Adam, one-cycle, clipping; sizes that nothing divides.
source "$(dirname "$0")/lib.sh"
toy toy 331 29
cat >toy.yaml <<'Y'
name: toy
data: {source: toy, validation: 0.17}
model:
  layers:
    - {type: conv, name: conv1, filters: 7, kernel: 3, bias: false}
    - {type: batchnorm, name: norm1}
    - {type: gelu}
    - type: residual
      name: block
      body:
        - {type: conv, name: conv, filters: 7, kernel: 3, pad: same}
        - {type: batchnorm, name: norm}
    - {type: maxpool, size: 2}
    - {type: flatten}
    - {type: dropout, rate: 0.3}
    - {type: dense, name: fc, units: 4}
train:
  epochs: 3
  batch: 53
  microbatch: 7
  label_smoothing: 0.1
  clip_norm: 0.5
  optimizer: {type: adam, lr: 0.003}
  schedule: {type: onecycle, max_lr: 0.01}
checkpoint: {every_steps: 4, keep: 99}
Y

# trained NAME RANKS THREADS ARG...: a run ends with the bits of the one on one rank and one thread.
trained() {
  local name=$1 count=$2 threads=$3
  shift 3
  OMP_NUM_THREADS=$threads OMP_WAIT_POLICY=passive ranks "$count" 0 "$lockstep" train toy.yaml -o "$name" "$@"
  holds "$name: the bits of one rank" 'all(d[0][k] == d[1][k] for k in ("weights_digest", "test", "validation", "steps"))' \
    first/summary.json "$name/summary.json"
}

run 0 "$lockstep" train toy.yaml -o first
[[ $(json first/summary.json 'd["validation"]["samples"]') -eq 56 ]] || fail 'the validation split has another size'
for shape in 1x1 1x2 2x1 2x2 3x1 4x1 5x1 8x1; do
  trained "fast-$shape" "${shape%x*}" "${shape#*x}"
  trained "exact-$shape" "${shape%x*}" "${shape#*x}" train.reduction=exact
done

# From every checkpoint, most of them within an epoch, on other ranks and threads than before.
shapes=(2x2 3x1 1x2 5x1 2x1)
mapfile -t steps < <(ls exact-3x1/checkpoint-*.h5 | sed 's/.*-\([0-9]*\).h5/\1/' | sort -n | head -n -1)
for i in "${!steps[@]}"; do
  shape=${shapes[i % 5]}
  mkdir "from-${steps[i]}" && cp "exact-3x1/checkpoint-${steps[i]}.h5" "from-${steps[i]}"
  trained "from-${steps[i]}" "${shape%x*}" "${shape#*x}" --resume
  out_has "resuming from .*checkpoint-${steps[i]}.h5"
done
finish
