#!/usr/bin/env bash
# lockstep bench: figures that fit each other, on any number of ranks and threads, and nothing left behind.
source "$(dirname "$0")/lib.sh"
toy toy 60 20
toy_config

# consistent WAY: the document's figures follow from each other, and its parts make up the step.
consistent() {
  holds "'$last': rates" \
    'd[0]["samples_per_second"] > 0 and d[0]["slowest"] <= d[0]["samples_per_second"] <= d[0]["fastest"]' out
  holds "'$last': time of a step" \
    'abs(d[0]["step_seconds"] * d[0]["samples_per_second"] / d[0]["batch"] - 1) < 1e-6' out
  holds "'$last': share of SGEMM" \
    'd[0]["sgemm_gflops"] > 0 and abs(d[0]["gflops"] / d[0]["sgemm_gflops"] - d[0]["sgemm_ratio"]) < 1e-9' out
  holds "'$last': every layer has its times" \
    'len(d[0]["profile"]["layers"]) > 3 and all(l[p] >= 0 for l in d[0]["profile"]["layers"]
      for p in ("forward", "backward_data", "backward_weights"))' out
  holds "'$last': both ways of train.allreduce" \
    'd[0]["allreduce"].keys() == {"auto", "mpi"} and all(w["reduction_seconds"] > 0 and w["step_seconds"] > 0
      for w in d[0]["allreduce"].values())' out
  holds "'$last': the configuration's is that of the other figures" \
    'd[0]["allreduce"]["'"$1"'"]["step_seconds"] == d[0]["step_seconds"]' out
  holds "'$last': layers with weights take time for them" \
    'all(l["backward_weights"] > 0 for l in d[0]["profile"]["layers"] if l["type"] in ("conv", "dense"))' out
}

run 0 "$lockstep" bench toy.yaml --seconds 0.3 --json
consistent auto
holds "one rank" 'd[0]["ranks"] == 1 and d[0]["threads"] == 1' out
OMP_NUM_THREADS=2 run 0 "$lockstep" bench toy.yaml train.batch=24 train.microbatch=5 --seconds 0.3 --json
consistent auto
holds "overrides and threads are taken" 'd[0]["threads"] == 2 and d[0]["batch"] == 24 and d[0]["microbatch"] == 5' out
ranks 3 0 "$lockstep" bench toy.yaml train.allreduce=mpi --seconds 0.3 --json
consistent mpi
holds "three ranks" 'd[0]["ranks"] == 3' out

run 0 "$lockstep" bench toy.yaml --seconds 0.3
out_has '^[0-9]+ samples/s \([0-9]+ to [0-9]+\), [0-9.]+ ms a step$'
out_has "% of SGEMM's"
out_has '^reduction: auto [0-9.]+ ms of [0-9.]+ ms a step, mpi [0-9.]+ ms of [0-9.]+ ms a step$'
out_has '^  optimizer '

run 2 "$lockstep" bench
run 2 "$lockstep" bench toy.yaml --seconds 0
err_has 'expected a number above 0'
run 2 "$lockstep" bench toy.yaml data.source=nowhere
one_error
ranks 2 0 "$lockstep" bench toy.yaml data.source=nowhere 'data.shape=[1, 12, 12]' data.validation=0.5 --seconds 0.1
out_has '^data.shape is given: images are made up'
[[ ! -e runs ]] || fail "bench left a run directory"
finish
