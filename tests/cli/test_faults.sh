#!/usr/bin/env bash
# Fault points (src/base/fault.h): each site of the program fails once, on one rank and on either of two: one message,
# status 1, no crash, no hang, no file that is left; or it is coped with, and the results are the same. Of two ranks,
# some; tests/soak/faults.sh tries all calls of all sites.
source "$(dirname "$0")/lib.sh"
run 0 env LS_FAULT_LIST="$work/points" "$lockstep" --version # MPI alone starts
[[ -s points ]] || { echo "SKIPPED: this build has no fault points (LS_FAULTS)"; exit 77; }
toy toy 90 40
toy_config
sed -i 's/epochs: 3/epochs: 2/; s/batch: 50/batch: 40/' toy.yaml
export OMPI_MCA_ess_singleton_isolated=1 # no daemon for a rank by itself: a run takes half as long
walk() { python3 "$root/tests/soak/walk.py" "$lockstep" . "$@" --jobs "${LS_FAULT_JOBS:-6}" || fail "walk $*"; }
# shellcheck disable=SC2086
walk ${LS_FAULT_CASES:-train resume ensemble eval vote predict attack info-json import bench} ${LS_FAULT_EVERY:-}
reached=$(cut -d' ' -f1 sites-*)
for rank in 0 1; do
  # shellcheck disable=SC2086
  walk ${LS_FAULT_CASES:-train} --ranks 2 --rank $rank --stride "${LS_FAULT_STRIDE:-3}" ${LS_FAULT_EVERY:-}
  reached+=$'\n'$(cut -d' ' -f1 sites-*)
done
reached=$(sort -u <<<"$reached")

# No point of the list is missing in the program, nor the other way round.
listed=$(sed -nE 's/^ *X\("([a-z]+)", .*/\1/p' "$root/src/base/fault.h" | sort)
used=$(grep -rhoE 'LS_(FAULT|SYSTEM)\("[a-z]+"' "$root/src" | grep -oE '"[a-z]+"' | tr -d '"' | sort -u)
[[ $listed == "$used" ]] || fail "points: $(diff <(echo "$listed") <(echo "$used"))"
[[ $listed == "$reached" ]] || fail "points that no case comes to: $(diff <(echo "$listed") <(echo "$reached"))"
finish
