#!/usr/bin/env bash
# A run directory is enough: a run goes on with its own configuration, and commands find its checkpoint.
source "$(dirname "$0")/lib.sh"
toy toy 333 101
toy_config

# same_weights RUN_DIR...: the final weights are the same bits.
same_weights() {
  [[ $(for dir in "$@"; do json "$dir/summary.json" 'd["weights_digest"]'; done | sort -u | wc -l) -eq 1 ]] ||
    fail "weights differ: $*"
}

# A run that was given values on the command line, and was stopped, goes on with them: on another number of ranks too.
given=(train.epochs=4 train.optimizer.lr=0.02 seed=5)
run 0 "$lockstep" train toy.yaml -o whole "${given[@]}"
run 75 "$lockstep" train toy.yaml -o cut "${given[@]}" train.time_limit=0.000001
cp -r cut cut3
run 0 "$lockstep" train --resume -o cut train.time_limit=0
out_has 'resuming from cut/checkpoint-'
ranks 3 0 "$lockstep" train train.time_limit=0 --resume -o cut3
same_weights whole cut cut3

# Its checkpoint's configuration is the run's: without config.yaml, and where that is another one, which is said.
cp -r whole edited && rm edited/config.yaml
run 0 "$lockstep" train --resume -o edited
out_has 'all epochs are done'
[[ ! -s err ]] || { fail 'a run without config.yaml is odd'; cat err; }
sed 's/^  epochs: .*/  epochs: 5/' whole/config.yaml >edited/config.yaml
run 0 "$lockstep" train --resume -o edited
err_has "the configuration in 'edited/checkpoint-[0-9]+.h5' is taken, config.yaml beside it is another one"
out_has 'all epochs are done'
run 0 "$lockstep" train --resume -o edited train.epochs=5
out_has 'train.epochs: 4 so far, 5 from now on'
run 0 "$lockstep" train whole/config.yaml -o five train.epochs=5
same_weights edited five

# Killed before its first checkpoint it begins anew, with what it was given.
mkdir early && cp cut/config.yaml early
run 0 "$lockstep" train --resume -o early
out_has 'no checkpoint in early: starting from the beginning'
same_weights whole early

# Commands to be copied are whole, whatever the folder is called.
odd="it's a run"
cp -r whole "$odd" && cp five/config.yaml "$odd"
run 0 "$lockstep" train --resume -o "$odd"
cp five/config.yaml "$odd"
command=$(sed -nE 's/.*\(lockstep (train .*) takes that\).*/\1/p' err)
eval "run 0 '$lockstep' $command"
out_has 'train.epochs: 4 so far, 5 from now on'
run 2 "$lockstep" train "$odd"
command=$(sed -nE 's/.*: lockstep (train --resume .*)/\1/p' err)
eval "run 0 '$lockstep' $command"
run 75 "$lockstep" train toy.yaml -o 'cut off' train.time_limit=0.000001
command=$(sed -nE 's/.*go on with (--resume .*)/\1/p' err)
eval "run 0 '$lockstep' train train.time_limit=0 $command"
run 2 "$lockstep" train --resume -o 'no run'
err_has "lockstep train CONFIG.yaml -o 'no run'$"

# What is no run is refused, and nothing is made.
run 2 "$lockstep" train --resume -o nowhere
one_error
err_has "there is no run in 'nowhere' to go on with.*lockstep train CONFIG.yaml -o nowhere"
[[ ! -e nowhere ]] || fail 'a folder was made for a run that is not there'
run 2 "$lockstep" train --resume
err_has 'which run\?.*-o RUN_DIR'
run 2 "$lockstep" train train.epochs=3
run 2 "$lockstep" train --resume -o whole seed=9
err_has 'seed: the checkpoint'
for config in '' toy.yaml; do
  # shellcheck disable=SC2086
  run 2 "$lockstep" train $config --resume -o cut/best.h5
  one_error
  err_has "'cut/best.h5' is a file, and no run directory; .*: --resume -o cut$"
done
(cd cut && timeout "$hang_s" "$lockstep" train --resume -o best.h5 >../out 2>../err)
err_has "'best.h5' is a file, .*--resume -o \\.$"
ln -s moved-away dangling
for command in 'train --resume -o dangling' 'eval dangling' 'inspect dangling' 'train dangling' 'predict dangling x.png'; do
  # shellcheck disable=SC2086
  run 2 "$lockstep" $command
  one_error
  err_has "dangling'.*: a symbolic link that leads to nothing$"
done
mkdir 'lr=1' && cp toy.yaml 'lr=1'
run 0 "$lockstep" train lr=1/toy.yaml -o equals train.epochs=1 --resume
cp -r toy other.yaml
run 2 "$lockstep" train --resume -o whole data.source=other.yaml
err_has "data.source: the checkpoint was trained on 'toy', not 'other.yaml'"

# An ensemble: every member with what it was given, also the ones whose turn had not come.
sed 's/^name: toy/name: flat/; /conv1\|batchnorm\|relu\|maxpool/d' toy.yaml >flat.yaml
five=(ensemble.members=5 'ensemble.configs=[toy.yaml, flat.yaml]' 'ensemble.overrides=[none, train.optimizer.lr=0.02]' "${given[@]}")
run 0 "$lockstep" train toy.yaml -o all "${five[@]}"
run 75 "$lockstep" train toy.yaml -o "some of" "${five[@]}" train.time_limit=0.000001
rm toy.yaml flat.yaml
err_has "go on with --resume -o 'some of'$"
ranks 2 0 "$lockstep" train --resume -o "some of" train.time_limit=0
for m in 1 2 3 4 5; do same_weights "all/member-$m" "some of/member-$m"; done
holds 'the same vote' 'd[0]["ensemble"]["soft"] == d[1]["ensemble"]["soft"]' all/ensemble.json "some of/ensemble.json"
toy_config

# Where a checkpoint goes, a run directory may: best.h5, else the newest.
picture shot.png
run 0 "$lockstep" eval whole/best.h5 --json
mv out by_file
for count in 1 3; do
  ranks "$count" 0 "$lockstep" eval whole --json
  cmp -s out by_file || fail 'eval of a run directory is not that of its best.h5'
  err_has '^lockstep: whole/best.h5: the checkpoint of the best epoch is taken'
done
run 0 "$lockstep" predict whole shot.png
err_has 'whole/best.h5'
run 0 "$lockstep" attack whole --method fgsm --epsilon 0.1
err_has 'whole/best.h5'
run 0 "$lockstep" inspect whole --config
cmp -s out whole/config.yaml || fail 'inspect of a run directory shows another configuration'
run 0 "$lockstep" train toy.yaml -o from model.init_from=whole train.epochs=1
out_has 'weights from whole/best.h5'
run 0 "$lockstep" train toy.yaml -o blind data.validation=0 train.epochs=1
run 0 "$lockstep" eval blind
err_has '^lockstep: blind/checkpoint-7.h5: the newest checkpoint is taken, there is no best.h5'
cp blind/checkpoint-7.h5 blind/checkpoint-8.h5
printf 'x' | dd of=blind/checkpoint-8.h5 bs=1 seek=2000 conv=notrunc 2>/dev/null
run 0 "$lockstep" eval blind
err_has "skipping checkpoint 'blind/checkpoint-8.h5': .*damaged"
err_has 'blind/checkpoint-7.h5: the newest'
rm blind/checkpoint-8.h5

# A checkpoint that is not there: why, and which one is.
run 2 "$lockstep" eval blind/best.h5
one_error
err_has 'blind/best.h5.*data.validation is 0.*newest checkpoint of this run is .blind/checkpoint-7.h5'
run 2 "$lockstep" predict cut/checkpoint-1.h5 shot.png
err_has 'checkpoint.keep.*newest checkpoint of this run is .cut/checkpoint-24.h5'
run 75 "$lockstep" train toy.yaml -o young train.time_limit=0.000001
run 2 "$lockstep" eval young/best.h5
err_has 'has not finished its first epoch; .*young/checkpoint-1.h5'
rm cut/best.h5
run 2 "$lockstep" inspect cut/best.h5
err_has 'it has been removed; .*cut/checkpoint-24.h5'

# A damaged one: what is wrong with it, and which one is intact.
cp -r whole hurt && cp hurt/checkpoint-24.h5 hurt/checkpoint-25.h5
for file in best checkpoint-25; do printf 'x' | dd of="hurt/$file.h5" bs=1 seek=2000 conv=notrunc 2>/dev/null; done
advice='damaged.*; the newest intact checkpoint of this run is .hurt/checkpoint-24.h5.'
for count in 1 3; do
  ranks "$count" 2 "$lockstep" eval hurt
  err_has "^lockstep: input error: .*'hurt/best.h5': $advice"
done
for command in 'eval hurt/best.h5' 'predict hurt shot.png' 'attack hurt --method fgsm --epsilon 0.1' 'inspect hurt' \
  'inspect hurt/best.h5 --config' 'eval hurt/checkpoint-25.h5' 'train toy.yaml -o never model.init_from=hurt'; do
  run 2 "$lockstep" $command
  err_has "^lockstep: input error: .*$advice"
done
(cd hurt && "$lockstep" eval best.h5) >out 2>err
err_has 'newest intact checkpoint of this run is .\./checkpoint-24.h5'
rm hurt/checkpoint-*.h5
run 2 "$lockstep" eval hurt
err_has 'damaged'
! said 'newest' || fail 'a checkpoint is named that is not there'

mkdir none
run 2 "$lockstep" eval none
err_has "'none' is a folder, and there is no checkpoint in it"

# An ensemble's directory: its members vote, and one network is asked for by name.
run 0 "$lockstep" eval all/member-{1,2,3,4,5}/best.h5 --json
mv out by_files
ranks 2 0 "$lockstep" eval all --json
cmp -s out by_files || fail 'the vote of a directory is not that of its members'
run 2 "$lockstep" predict all shot.png
err_has "'all' holds an ensemble: take one of its members, 'all/member-1'"
run 0 "$lockstep" train toy.yaml -o snap ensemble.members=3 ensemble.type=snapshot train.epochs=6 'train.schedule={type: cosine, cycles: 3}'
run 0 "$lockstep" eval snap
out_has '^ensemble of 3$'
out_has '^  snap/snapshot-3.h5 '

finish
