#!/usr/bin/env bash
# A program that uses the library with a decimal comma, or in Turkish, whose i has no capital I: the same bits.
source "$(dirname "$0")/lib.sh"
names=(de_DE tr_TR fa_IR ps_AF)
export LOCPATH=$work/locales
mkdir "$LOCPATH"
for name in "${names[@]}"; do
  localedef -i "$name" -f UTF-8 "$LOCPATH/$name.UTF-8" >localedef.out 2>&1
  [[ -d $LOCPATH/$name.UTF-8 ]] || { echo "no locale can be made here: $(tail -n 1 localedef.out)"; exit 77; }
done

toy toy 60 20
cat >net.yaml <<'Y'
name: net
data: {source: toy, validation: 0.25}
model:
  layers:
    - {type: conv, filters: 4, kernel: 3}
    - {type: batchnorm, epsilon: 0.00001, momentum: 0.175}
    - {type: leaky_relu, slope: 0.3333333333333333}
    - {type: flatten}
    - {type: dropout, rate: 0.31}
    - {type: dense, units: 4}
train: {epochs: 1, batch: 16, microbatch: 8, optimizer: {type: sgd, lr: 0.05, momentum: 0.9}}
Y
run 0 "$lockstep" train net.yaml -o run
run 0 "$lockstep" inspect run/best.h5 --config
out_has 'epsilon: 1\.0e-05'

run 0 "$USE_LOCALE" run/best.h5 C "${names[@]/%/.UTF-8}"
[[ $(sort -u out | wc -l) -eq 1 && $(wc -l <out) -eq 15 ]] || { fail "the bits depend on the locale"; cut -c 1-60 out; }

# The program's own environment is no matter either.
for name in "${names[@]}"; do
  LC_ALL=$name.UTF-8 run 0 "$lockstep" train net.yaml -o "run-$name"
  holds "LC_ALL=$name.UTF-8" 'd[0]["weights_digest"] == d[1]["weights_digest"]' run/summary.json "run-$name/summary.json"
  cmp run/config.yaml "run-$name/config.yaml" || fail "config.yaml differs in $name"
done
finish
