#!/usr/bin/env bash
# lockstep scale: every number of ranks, figures that fit each other, files, and what it refuses.
source "$(dirname "$0")/lib.sh"
toy toy 600 20
toy_config 'bucket_mb: 0'

ranks 3 0 "$lockstep" scale toy.yaml --seconds 0.2 -o study
out_has '^strong scaling: 50 samples a step$'
out_has '^weak scaling: 50 samples a rank and step$'
out_has '^ +3 +1 +1 +[0-9]+ '
if grep -q 'too much noise to predict by' out; then # then nothing is predicted, in no form
  ! grep -qE '^ +1024 |predicted|ensembles|efficiency up to' out || fail "predicts all the same"
  ! grep -q predicted study/scaling.gp || fail "draws a prediction"
  ! compgen -G 'study/*_predicted.csv' >/dev/null || fail "writes a prediction"
  sure=''
else
  out_has '^ +1024 +1 '
  out_has 'ensembles: best split'
  sure=yes
fi
out_has '^tables and figure in study$'

# check EXPRESSION: over t, the CSV tables by name as lists of rows of numbers.
check() {
  python3 - "$1" <<'P' || fail "$1"
import csv, glob, os, sys
t = {os.path.basename(f)[:-4]: [{k: float(v) for k, v in r.items()} for r in csv.DictReader(open(f))]
     for f in glob.glob("study/*.csv")}
sys.exit(not eval(sys.argv[1]))
P
}
check '[[r["ranks"] for r in t[m]] for m in ("strong", "weak")] == [[1, 2, 3]] * 2'
check 'all(r["batch"] == 50 for r in t["strong"]) and all(r["batch"] == 50 * r["ranks"] for r in t["weak"])'
check 'all(abs(r["samples_per_second"] * r["step_s"] / r["batch"] - 1) < 1e-6 for r in t["strong"] + t["weak"])'
check 'all(abs(r["efficiency"] * r["ranks"] / r["speedup"] - 1) < 1e-6 for r in t["strong"] + t["weak"])'
check 't["strong"][0]["speedup"] == 1 and t["strong"][0]["waiting_s"] == 0'
check 'all(r["compute_s"] > 0 and r["update_s"] > 0 and r["slowest_s"] >= r["step_s"] >= r["fastest_s"]
  for r in t["strong"] + t["weak"])'
if [[ -n $sure ]]; then
  check 'all([r["ranks"] for r in t[m + "_predicted"]] == [2**i for i in range(11)] for m in ("strong", "weak"))'
  check 'all(r["low_s"] <= r["step_s"] <= r["high_s"] for r in t["strong_predicted"] + t["weak_predicted"])'
fi
check 'len(t["ranks"]) == 3 and min(r["waited_s"] for r in t["ranks"]) == 0'
check 'len({r["elements"] for r in t["sums"]}) == 6 and all(r["seconds"] > 0 for r in t["sums"])'
run 0 "$lockstep" inspect study/scaling.h5
out_has 'lockstep scaling study'
out_has '/strong/samples_per_second +\[3\] +float64'
if command -v gnuplot >/dev/null; then
  [[ -s study/scaling.svg ]] && grep -q '</svg>' study/scaling.svg || fail 'no figure'
fi

# Threads are swept, and only what was asked for is measured.
rm -r study
ranks 2 0 "$lockstep" scale toy.yaml --seconds 0.1 --mode strong --threads 1,2 -o study
check '[(r["threads"], r["ranks"]) for r in t["strong"]] == [(1, 1), (1, 2), (2, 1), (2, 2)] and "weak" not in t'
check 'len(t["model"]) == 2 and len(t.get("strong_predicted", [])) == 11 * sum(r["misfit"] <= 0.3 for r in t["model"])'

ranks 2 2 "$lockstep" scale toy.yaml -o study
err_has 'study holds a scaling study already'
one_error
run 2 "$lockstep" scale toy.yaml
err_has 'there is one rank'
one_error
ranks 2 2 "$lockstep" scale toy.yaml --mode both
err_has 'expected strong or weak'
for list in 0 1,1 1, x 5000; do
  ranks 2 2 "$lockstep" scale toy.yaml --threads "$list"
  err_has '--threads .*: expected different counts'
done
ranks 2 2 "$lockstep" scale toy.yaml --seconds 0
err_has 'expected a number above 0'
ranks 2 2 "$lockstep" scale toy.yaml train.batch=400 train.microbatch=8 --seconds 0.1
err_has 'a batch of 800 for 2 ranks is more than the 480 samples to train on'
one_error
run 0 "$lockstep" scale --help
out_has 'measure(d)?|Measure how a configuration scales'
finish
