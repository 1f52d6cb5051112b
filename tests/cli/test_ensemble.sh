#!/usr/bin/env bash
# Ensembles: groups of ranks train the members that single trainings would give; failures, stops and resumes; snapshots;
# what a vote of checkpoints reports.
source "$(dirname "$0")/lib.sh"
toy toy 333 101
toy_config

# digest RUN_DIR: of the final weights.
digest() { json "$1/summary.json" 'd["weights_digest"]'; }

# Five members on one, two and seven ranks, and each alone.
five=(ensemble.members=5 'ensemble.overrides=[data.fraction=0.8, "train.epochs=4; train.optimizer.lr=0.02"]')
run 0 "$lockstep" train toy.yaml -o one "${five[@]}"
out_has '^ensemble of 5: 1 group of ranks; 1 rank: 2 4 1 3 5$'
out_has '^ensemble of 5$'
out_has 'member 2: epoch 4/4 '
ranks 2 0 "$lockstep" train toy.yaml -o two "${five[@]}"
ranks 7 0 "$lockstep" train toy.yaml -o seven "${five[@]}"
out_has '^ensemble of 5: 5 groups of ranks; 1 rank: [135], 1 rank: [135], 2 ranks: [24], 1 rank: [135], 2 ranks: [24]$'
for m in 1 2 3 4 5; do
  for other in "two/member-$m" "seven/member-$m"; do
    [[ $(digest "one/member-$m") == "$(digest "$other")" ]] || fail "member $m differs in $other"
  done
done
for m in 2 3; do
  ranks 2 0 "$lockstep" train "one/member-$m/config.yaml" -o "alone-$m"
  [[ $(digest "one/member-$m") == "$(digest "alone-$m")" ]] || fail "member $m differs from a training of its own"
done
[[ $(for m in 1 2 3 4 5; do digest "one/member-$m"; done | sort -u | wc -l) -eq 5 ]] || fail 'members are the same'
strip='{k: v for k, v in x["ensemble"].items() if k != "members"}'
for other in two seven; do
  holds "the vote, $other" "(lambda f: f(d[0]) == f(d[1]))(lambda x: $strip)" one/ensemble.json "$other/ensemble.json"
done
holds 'each member is in the report' '[round(m["accuracy"], 9) for m in d[0]["ensemble"]["members"]] == [x["test"]["accuracy"] for x in d[1:]]' \
  one/ensemble.json one/member-{1,2,3,4,5}/summary.json
holds 'the soft vote is the split' 'd[0]["test"]["accuracy"] == d[0]["ensemble"]["soft"]["accuracy"] and d[0]["failed"] == []' one/ensemble.json
grep -q '</svg>' one/reliability.svg || fail 'no reliability diagram'

# The same figures afterwards.
files=()
for m in 1 2 3 4 5; do files+=("one/member-$m/$(json "one/member-$m/summary.json" 'd["checkpoint"]')"); done
for count in 1 3; do
  ranks "$count" 0 "$lockstep" eval "${files[@]}" --json
  holds "eval on $count ranks" 'd[0]["ensemble"] == d[1]["ensemble"] and d[0]["test"] == d[1]["test"]' out one/ensemble.json
done
holds 'weights sum to 1' 'abs(sum(d[0]["ensemble"]["weighted"]["weights"]) - 1) < 1e-6' out
run 0 "$lockstep" eval "${files[@]}"
out_has 'soft vote \(mean probability\)'
out_has 'two members differ on'
run 2 "$lockstep" eval "${files[0]}" nothing.h5
one_error

# Members that held out other samples: each has seen what the other is evaluated on, so evaluating them together is refused.
run 0 "$lockstep" train toy.yaml -o held train.epochs=1
run 0 "$lockstep" train toy.yaml -o held-same train.epochs=1 seed=7 data.split_seed=1
run 0 "$lockstep" train toy.yaml -o held-seed train.epochs=1 seed=7
run 0 "$lockstep" train toy.yaml -o held-split train.epochs=1 data.split_seed=7
run 0 "$lockstep" train toy.yaml -o held-more train.epochs=1 data.validation=0.3
run 0 "$lockstep" train toy.yaml -o held-count train.epochs=1 data.validation=30
cp -r toy toy2
run 0 "$lockstep" train toy.yaml -o held-data train.epochs=1 data.source=toy2
for other in seed split more count data; do
  for pair in "held/best.h5 held-$other/best.h5" "held-$other/best.h5 held/best.h5" "held/best.h5 held-same/best.h5 held-$other/best.h5"; do
    # shellcheck disable=SC2086
    run 2 "$lockstep" eval $pair --split validation
    one_error
    err_has "'held.*' and 'held.*' were trained with other validation splits"
    # shellcheck disable=SC2086
    run 0 "$lockstep" eval $pair --json
    holds "no weights are fitted on what one of $pair has seen" 'd[0]["ensemble"]["weighted"] is None' out
  done
done
run 0 "$lockstep" train toy.yaml -o held-31 train.epochs=1 data.validation=31
run 2 "$lockstep" eval held-count held-31 --split validation
err_has 'other validation splits'
run 0 "$lockstep" eval held held-same --split validation --json
run 0 "$lockstep" eval held held-same --json
holds 'weights are fitted where the same samples were held out' 'len(d[0]["ensemble"]["weighted"]["weights"]) == 2' out

# Members of other configurations.
sed 's/^name: toy/name: flat/; /conv1\|batchnorm\|relu\|maxpool/d' toy.yaml >flat.yaml
ranks 2 0 "$lockstep" train toy.yaml -o mixed train.epochs=1 ensemble.members=3 'ensemble.configs=[toy.yaml, flat.yaml]'
holds 'configurations in turns' '[x["name"] for x in d] == ["toy", "flat", "toy"] and d[0]["seed"] + 2 == d[2]["seed"]' mixed/member-{1,2,3}/summary.json

# One that fails is reported, and the others finish and vote.
ranks 2 1 "$lockstep" train toy.yaml -o failing train.epochs=1 ensemble.members=3 'ensemble.overrides=[none, train.optimizer.lr=1e30, none]'
err_has '^lockstep: member 2: numerical error: '
err_has 'member 2 failed, while the others went on'
holds 'the others vote' '[x["member"] for x in d[0]["failed"]] == [2] and len(d[0]["ensemble"]["members"]) == 2' failing/ensemble.json

# So too where one group trains them all, one after the other: those after a failed one are trained and vote.
for failing in '1' '2' '1 3'; do
  overrides=''
  for m in 1 2 3 4; do
    [[ " $failing " == *" $m "* ]] && overrides+=', train.optimizer.lr=1e30' || overrides+=', none'
  done
  for count in 1 2; do
    rm -rf group
    ranks "$count" 1 "$lockstep" train toy.yaml -o group train.epochs=1 ensemble.members=4 "ensemble.overrides=[${overrides#, }]"
    err_has "error: member ${failing%% *} failed, while the others went on"
    holds "of four members $failing failed on $count ranks, the others vote" "([x['member'] for x in d[0]['failed']] ==
      [int(m) for m in '$failing'.split()] and len(d[0]['ensemble']['members']) == 4 - len('$failing'.split()))" group/ensemble.json
    for m in 1 2 3 4; do
      [[ " $failing " == *" $m "* ]] && continue
      [[ $(json "group/member-$m/summary.json" 'd["epochs"]') == 1 ]] || fail "member $m is not trained, with $failing failing"
    done
  done
done
run 2 "$lockstep" train toy.yaml -o wrong ensemble.members=2 'ensemble.overrides=[none, "train.batch=0"]'
one_error
err_has "member 2: override 'train.batch=0'"
run 2 "$lockstep" train toy.yaml -o wrong ensemble.members=2 'ensemble.overrides=[none, "data.classes=5; model.layers.fc.units=5"]'
err_has "member 2: data.source: 'toy' has .* in 5 classes, and 'toy' of member 1"
[[ ! -e wrong ]] || fail 'a wrong member is found after the start'
run 2 "$lockstep" train toy.yaml -o one "${five[@]}"
err_has 'already holds a run'

# Stopped at the first steps, stopped while one member is behind the others, and gone on with.
export LC_ALL=C
uneven=(ensemble.members=5 train.epochs=4 'ensemble.overrides=[data.fraction=0.8, train.epochs=40, none, none, none]')
ranks 2 75 "$lockstep" train toy.yaml -o cut "${uneven[@]}" train.time_limit=0.001
err_has 'stopped: 5 of 5 members are not done .*go on with --resume -o cut'
hold_at checkpoint-60.h5 cut
launch "$root/tests/mpirun.sh" 2 "${held[@]}" "$lockstep" train toy.yaml -o cut "${uneven[@]}" --resume
await 'a checkpoint of member 2' $pid test -e cut/member-2/checkpoint-60.h5
for m in 1 3 4 5; do await "the end of member $m" $pid test -e "cut/member-$m/summary.json"; done
ranks_of cut | xargs kill -USR1
wait $pid
status=$?
[[ $status -eq 75 ]] || { fail "'$last' ended with $status, not 75"; cat err; }
err_has 'stopped: 1 of 5 members are not done .*go on with --resume -o cut'
ranks 3 0 "$lockstep" train toy.yaml -o cut "${uneven[@]}" --resume
run 0 "$lockstep" train toy.yaml -o whole "${uneven[@]}"
for m in 1 2 3 4 5; do
  [[ $(digest "cut/member-$m") == "$(digest "whole/member-$m")" ]] || fail "member $m differs after the resume"
done

# A look before.
run 0 "$lockstep" train toy.yaml --dry-run "${five[@]}"
out_has '^member 5: toy, seed 5'
[[ ! -e runs ]] || fail 'a dry run leaves a folder'

# Snapshots of one training.
ranks 3 0 "$lockstep" train toy.yaml -o snap ensemble.members=3 ensemble.type=snapshot train.epochs=6 'train.schedule={type: cosine, cycles: 3}'
run 0 "$lockstep" train toy.yaml -o snap1 ensemble.members=3 ensemble.type=snapshot train.epochs=6 'train.schedule={type: cosine, cycles: 3}'
holds 'snapshots vote' 'd[0]["ensemble"]["soft"] == d[1]["ensemble"]["soft"] and len(d[0]["ensemble"]["members"]) == 3' snap/ensemble.json snap1/ensemble.json
[[ $(cd snap && echo snapshot-*.h5) == 'snapshot-1.h5 snapshot-2.h5 snapshot-3.h5' ]] || fail 'other snapshots'
for refused in 'train.schedule={type: cosine}' 'train.schedule={type: cosine, cycles: 3}'; do
  run 2 "$lockstep" train toy.yaml -o no ensemble.members=3 ensemble.type=snapshot train.epochs=7 "$refused"
  err_has 'takes a schedule of as many cycles as there are members'
done

# A file that is no configuration is not quoted: whoever reads the message may not be meant to read the file.
printf 'user:hunter2:0:0\nother:hunter3\n' >secret
printf 'hunter2: hunter3\n' >secret.yaml
printf '"hunter2\n' >quoted
for file in secret secret.yaml quoted; do
  for arguments in "toy.yaml ensemble.members=2 ensemble.configs=[$file]" "$file"; do
    # shellcheck disable=SC2086
    run 2 "$lockstep" train $arguments -o no
    err_has "$file:[0-9]+:[0-9]+: (expected a configuration|not valid YAML)"
    grep -q hunter err && { fail "'$last' quotes the file"; cat err; }
  done
done

# What cannot end with a network of each cycle is refused before the first step.
snapshots=(ensemble.members=3 ensemble.type=snapshot train.epochs=6 'train.schedule={type: cosine, cycles: 3}')
run 2 "$lockstep" train toy.yaml -o early "${snapshots[@]}" train.early_stopping.patience=1
err_has 'early stopping can end the run before its last cycle'
one_error
[[ ! -e early ]] || fail 'a refused ensemble leaves a folder'
run 2 "$lockstep" train toy.yaml -o early "${snapshots[@]}" train.early_stopping.patience=1 --dry-run

# Stopped and resumed, the same vote; a snapshot that has gone meanwhile is missed at once.
run 75 "$lockstep" train toy.yaml -o part "${snapshots[@]}" train.time_limit=0.000001
run 0 "$lockstep" train toy.yaml -o part "${snapshots[@]}" --resume
holds 'a resumed ensemble' 'd[0]["ensemble"]["soft"] == d[1]["ensemble"]["soft"]' snap1/ensemble.json part/ensemble.json
run 0 "$lockstep" train toy.yaml -o plain train.epochs=4 'train.schedule={type: cosine, cycles: 3}'
cp plain/config.yaml plain-config.yaml
run 2 "$lockstep" train toy.yaml -o plain "${snapshots[@]}" --resume
err_has 'cannot go on with this snapshot ensemble.*snapshot-1.h5'
one_error
[[ $(newest_step plain) -eq $(newest_step snap1)*4/6 ]] || fail 'a refused ensemble has trained'
cmp plain/config.yaml plain-config.yaml || fail 'a refused ensemble changes the configuration'
cp snap1/snapshot-1.h5 part/snapshot-2.h5
run 2 "$lockstep" train toy.yaml -o part "${snapshots[@]}" --resume
err_has 'snapshot-2.h5. is of epoch 2, but cycle 2 of this schedule has ended with epoch 4'

run 2 "$lockstep" train toy.yaml -o no 'ensemble.overrides=[train.batch=20]'
err_has 'an ensemble of 0 members is none'
run 2 "$lockstep" train toy.yaml -o no ensemble.members=1 'ensemble.overrides=[train.batch=20, train.batch=10]'
err_has 'some would not be used'
finish
