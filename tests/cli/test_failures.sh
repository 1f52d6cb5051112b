#!/usr/bin/env bash
# What goes wrong while running: full disk, folder in the way, divergence, damaged checkpoint, another dataset.
source "$(dirname "$0")/lib.sh"
toy toy 333 20
toy_config

# A run directory that cannot be made.
touch file
run 1 "$lockstep" train toy.yaml -o file/run
one_error
err_has 'file/run'

# A disk that is full: the first epochs' checkpoints stay intact, the message says what.
if [[ $EUID -eq 0 ]] && mkdir full && mount -t tmpfs -o size=400k tmpfs full 2>/dev/null; then
  run 0 "$lockstep" train toy.yaml -o full/run train.epochs=1 checkpoint.keep=100
  head -c 10M /dev/zero >full/filler 2>/dev/null
  run 1 "$lockstep" train toy.yaml -o full/run --resume train.epochs=3 checkpoint.keep=100
  one_error
  err_has 'full/run.*[Nn]o space'
  rm full/filler
  run 0 "$lockstep" train toy.yaml -o full/run --resume train.epochs=2 checkpoint.keep=100
  umount full
else
  echo "no tmpfs here: the full disk is not tested"
fi

# A file that may not grow further ends in the same way, and not by a signal. MPI itself needs files of some size: the
# dataset is larger, and the run is limited only when it is under way.
python3 - <<'P'
import os, struct
os.makedirs("noise")
for prefix, count in (("train", 40000), ("t10k", 20)):
    with open(f"noise/{prefix}-images-idx3-ubyte", "wb") as f:
        f.write(struct.pack(">IIII", 0x803, count, 12, 12) + os.urandom(144 * count))
    with open(f"noise/{prefix}-labels-idx1-ubyte", "wb") as f:
        f.write(struct.pack(">II", 0x801, count) + bytes(i % 4 for i in range(count)))
P
run 1 bash -c 'ulimit -f 4096; exec "$@"' - "$lockstep" data import noise -o noise.h5
one_error
err_has 'input/output error: .*noise.h5.*File too large'
[[ ! -e noise.h5 ]] || fail 'half a dataset was left'
launch "$lockstep" train toy.yaml -o small "$endless"
await 'the first epoch' $pid test -e small/metrics.csv
prlimit --fsize=4096 --pid "$(ranks_of small)"
wait $pid
status=$?
[[ $status -eq 1 ]] || fail "'$last' ended with $status, not 1"
one_error
err_has 'input/output error: .*small/.*File too large'
run 0 "$lockstep" train toy.yaml -o small train.epochs="$(($(epochs_done small) + 1))" --resume

# Divergence stops the run and names step and layer; on any rank.
run 1 "$lockstep" train toy.yaml -o wild train.optimizer.lr=1e30
one_error
err_has 'step [0-9]+ of epoch 1, .*layer [a-z0-9]+ is not finite'
ranks 2 1 "$lockstep" train toy.yaml -o wild2 train.optimizer.lr=1e30
one_error
err_has 'step [0-9]+ of epoch 1, .*layer [a-z0-9]+ is not finite'

# So does a batch statistic that is too large to be summed.
run 1 "$lockstep" train toy.yaml -o wild3 train.optimizer.lr=1e6
one_error
err_has 'training has diverged .* a batch statistic of layer batchnorm1 is not finite or beyond \+-[0-9.e+]+$'
ranks 2 1 "$lockstep" train toy.yaml -o wild4 train.optimizer.lr=1e6
one_error
err_has 'a batch statistic of layer batchnorm1'

# So does a loss that is: it names the layer in which the values grow.
grep -v batchnorm toy.yaml >plain.yaml
run 1 "$lockstep" train plain.yaml -o wild5 train.optimizer.lr=1e6
one_error
err_has 'the loss of a micro-batch, [0-9.e+]+, is not finite or beyond [0-9.e+]+; the outputs grow most in layer (conv1|fc), to [0-9.e+]+$'

# Weights that are not finite are never saved, and no run ends with them, nor with a loss that is not: the last
# step is not followed by another one that would notice. One step makes the epoch.
for case in 'lr=1e39 .*there is no checkpoint yet.*after step 1: a value of [a-z0-9]+\.(weight|bias) is not finite' \
  'lr=3e38 .*checkpoint-1.h5 holds these very weights.*after step 1: the loss on the test samples is not finite' \
  'lr=3e38,data.validation=0.2,train.batch=266,train.microbatch=266 .*there is no checkpoint yet.*after step 1: the loss on the validation samples is not finite'; do
  rm -rf absurd
  IFS=, read -ra keys <<<"${case%% *}"
  run 1 "$lockstep" train toy.yaml -o absurd data.validation=0 train.batch=333 train.microbatch=333 \
    model.layers[1]='{type: relu}' train.epochs=1 "train.optimizer.${keys[0]}" "${keys[@]:1}"
  one_error
  err_has "training has diverged.*${case#* }"
  [[ -z $(ls absurd/best.h5 absurd/summary.json 2>/dev/null) ]] || fail "$last leaves $(ls absurd)"
done
run 0 "$lockstep" train toy.yaml -o sound train.epochs=1 checkpoint.keep=1
before=$(md5sum sound/checkpoint-*.h5)
run 1 "$lockstep" train toy.yaml -o sound train.epochs=2 train.optimizer.lr=1e39 checkpoint.keep=1 checkpoint.every_steps=1 --resume
one_error
err_has 'checkpoint-6.h5 is intact'
[[ $before == "$(md5sum sound/checkpoint-*.h5)" ]] || fail "the good checkpoint was replaced: $(ls sound)"

# The newest checkpoint is damaged: it is named and skipped.
run 0 "$lockstep" train toy.yaml -o hurt
newest=$(ls -v hurt/checkpoint-*.h5 | tail -n 1)
truncate -s -100 "$newest"
run 0 "$lockstep" train toy.yaml -o hurt --resume train.epochs=4
out_has "$newest"
out_has 'resuming from hurt/checkpoint-'

# All of them are damaged: nothing is started anew over what is left.
before=$(md5sum hurt/best.h5 hurt/metrics.csv)
for file in hurt/checkpoint-*.h5; do truncate -s 1000 "$file"; done
run 2 "$lockstep" train toy.yaml -o hurt --resume
one_error
err_has "no intact checkpoint in 'hurt'"
[[ "$before" == "$(md5sum hurt/best.h5 hurt/metrics.csv)" ]] || fail 'the damaged run was changed'

# Another dataset of the same name is refused, be it another number of samples, other labels or other images.
run 0 "$lockstep" train toy.yaml -o mine train.epochs=1
for other in "334 20" labels images; do
  rm -rf elsewhere && mkdir elsewhere
  if [[ $other == "334 20" ]]; then toy elsewhere/toy 334 20; else cp -r toy elsewhere/toy; fi
  if [[ $other == labels ]]; then
    printf '\001' | dd of=elsewhere/toy/train-labels-idx1-ubyte bs=1 seek=20 conv=notrunc status=none
    cmp -s toy/train-labels-idx1-ubyte elsewhere/toy/train-labels-idx1-ubyte &&
      printf '\002' | dd of=elsewhere/toy/train-labels-idx1-ubyte bs=1 seek=20 conv=notrunc status=none
  elif [[ $other == images ]]; then
    zcat toy/train-images-idx3-ubyte.gz | head -c 20000 >head
    { cat head; zcat toy/train-images-idx3-ubyte.gz | tail -c +20001 | tr '\100-\110' '\111'; } |
      gzip >elsewhere/toy/train-images-idx3-ubyte.gz
  fi
  run 2 "$lockstep" train toy.yaml -o mine data.source=elsewhere/toy train.epochs=2 --resume
  one_error
  err_has "cannot resume 'mine/checkpoint-[0-9]+.h5'.*another 'toy'"
done

# A foreign file with a high step number pushes no good checkpoint out.
run 0 "$lockstep" train toy.yaml -o foreign train.epochs=1 checkpoint.keep=1
touch foreign/checkpoint-99999.h5
run 0 "$lockstep" train toy.yaml -o foreign --resume checkpoint.keep=1
[[ $(ls foreign/checkpoint-*.h5 | wc -l) -eq 2 ]] || fail "the checkpoint was pruned: $(ls foreign)"

# A reader that has read enough is no error. The fifo's only reader goes away before anything is written.
mkfifo pipe
for command in "train --help-config" "doctor" "data info toy --json"; do
  last="$command, into a closed pipe"
  exec 3<>pipe 4>pipe 3>&-
  # shellcheck disable=SC2086
  timeout "$hang_s" "$lockstep" $command >&4 4>&- 2>err
  status=$?
  exec 4>&-
  [[ $status -eq 0 ]] || fail "'$last' ended with $status"
  [[ ! -s err ]] || { fail "'$last' says something"; cat err; }
done
finish
