#!/usr/bin/env bash
# train.allreduce: both ways come to the same bits, whatever else is set, and a step asks of MPI what README says.
source "$(dirname "$0")/lib.sh"
toy toy 600 60
toy_config 'clip_norm: 1' 'check_replicas: 4' 'ema: 0.9' 'label_smoothing: 0.1' 'lr_base_batch: 25'

# same WHAT RUN...: runs that ended with the same weights.
same() {
  local what=$1
  shift
  holds "$what" 'len({s["weights_digest"] for s in d}) == 1' "${@/%//summary.json}"
}

run 0 "$lockstep" train toy.yaml -o auto
run 0 "$lockstep" train toy.yaml train.allreduce=mpi -o mpi1
for count in 2 3 4; do
  OMP_NUM_THREADS=$((5 - count)) ranks $count 0 "$lockstep" train toy.yaml train.allreduce=mpi -o "mpi$count"
done
ranks 2 0 "$lockstep" train toy.yaml train.allreduce=mpi train.reduction=exact -o exact
same 'any ranks and threads, both ways' auto mpi1 mpi2 mpi3 mpi4 exact

# What else a step may have in it.
lars='train.optimizer={type: lars, lr: 0.1}'
run 0 "$lockstep" train toy.yaml "$lars" -o lars-auto
ranks 2 0 "$lockstep" train toy.yaml "$lars" train.allreduce=mpi -o lars-mpi
same 'LARS' lars-auto lars-mpi
ranks 2 0 "$lockstep" train toy.yaml ensemble.members=2 train.allreduce=mpi -o members
run 0 "$lockstep" train toy.yaml ensemble.members=2 -o members-auto
for i in 1 2; do same 'members of an ensemble' members/member-$i members-auto/member-$i; done

# The way may change where a run goes on.
ranks 2 0 "$lockstep" train toy.yaml train.epochs=2 train.allreduce=mpi -o resumed
ranks 3 0 "$lockstep" train toy.yaml train.allreduce=auto -o resumed --resume
same 'resumed by the other way' auto resumed

# What travels in the tail: a request to stop, and that a sum is not finite.
ranks 2 75 "$lockstep" train toy.yaml "$endless" train.time_limit=0.01 train.allreduce=mpi -o limited
err_has 'train.time_limit reached: stopped after step [0-9]+'
ranks 2 1 "$lockstep" train toy.yaml train.allreduce=mpi train.optimizer.lr=1e30 -o diverged
one_error
err_has 'step [0-9]+ of epoch [0-9]+, learning rate [0-9]e\+30'

# counted NAME ARG...: what each rank asks of MPI in a training, in NAME.0 and NAME.1.
counted() {
  local name=$1
  shift
  ranks 2 0 env LD_PRELOAD="$(preloaded mpi_calls)" ASAN_OPTIONS=verify_asan_link_order=0 LS_MPI_CALLS="$work/$name" \
    "$lockstep" train toy.yaml data.validation=120 train.epochs=1 train.check_replicas=0 "$@" -o "$name-run" \
    'model.layers=[{type: flatten}, {type: dense, units: 8}, {type: batchnorm}, {type: dense, units: 4}]'
}

# a_step NAME WORD CALLS BYTES: what rank 0 and rank 1 have asked of MPI in 20 steps, NAME-20, beyond 10, NAME-10; BYTES may be any.
a_step() {
  local rank
  for rank in 0 1; do
    python3 - "$@" $rank <<'P' || fail "$1: $2 of rank $rank are not $3 a step with $4 bytes"
import sys
name, word, calls, size, rank = sys.argv[1:]
def read(steps):
    rows = (line.split() for line in open(f"{name}-{steps}.{rank}"))
    return {row[0]: (int(row[1]), int(row[2])) for row in rows}[word]
few, many = read(10), read(20)
print(f"{name}, rank {rank}: {many[0] - few[0]} {word}s in 10 steps, {many[1] - few[1]} bytes")
sys.exit(many[0] - few[0] != 10 * int(calls) or size != "any" and many[1] - few[1] != 10 * int(size))
P
  done
}

for way in auto mpi; do
  counted $way-10 train.batch=48 train.allreduce=$way
  counted $way-20 train.batch=24 train.allreduce=$way
done
# Gradients of layers of 1160, 16 and 36 parameters, which begin at cache lines (multiples of 16), 16 batch statistics,
# and 6 words of loss, counts and control, of 8 bytes each.
a_step mpi allreduce 1 $((8 * (1168 + 16 + 48 + 16 + 6)))
a_step mpi barrier 0 0
a_step auto allreduce 0 0
a_step auto barrier 0 0
for way in auto mpi; do
  for word in iallreduce send other; do a_step $way $word 0 0; done
  a_step $way exchange 0 any # of an epoch's samples, which the batch shares out
done

# What does not go together, and what has no effect.
run 2 "$lockstep" train toy.yaml train.allreduce=mpi train.allreduce_dtype=bfloat16 -o refused
err_has 'allreduce: mpi sums 64-bit fixed point; use allreduce: auto with bfloat16'
one_error
run 2 "$lockstep" train toy.yaml train.allreduce=nccl -o refused
err_has 'train.allreduce.*auto.*mpi'
run 0 "$lockstep" train toy.yaml train.allreduce=mpi train.bucket_mb=1 --dry-run
grep -q 'train.bucket_mb: 1: no effect with train.allreduce: mpi' out err || fail 'train.bucket_mb without effect is not reported'
ranks 2 0 "$lockstep" scale toy.yaml train.allreduce=mpi --mode strong --seconds 0.2
out_has '^strong scaling'
finish
