# An allocation that fails is reported, or makes no difference: some of the places where the program or a library that it
# calls asks for memory; tests/soak/allocations.sh tries all of them.
source "$(dirname "$0")/lib.sh"
allocations=$(preloaded allocations)
[[ -e $allocations ]] || { echo "SKIPPED: the sanitizers take no library before them"; exit 77; }
toy toy 90 40
toy_config
sed -i 's/epochs: 3/epochs: 2/; s/batch: 50/batch: 40/' toy.yaml
export OMPI_MCA_ess_singleton_isolated=1 # no daemon for a rank by itself: a run takes half as long
python3 "$root/tests/soak/walk.py" "$lockstep" . ${LS_ALLOC_CASES:-dry eval predict-json attack doctor} \
  --preload "$allocations" --jobs 2 --skip libhdf5 --stride "${LS_ALLOC_STRIDE:-16}" || fail "a failed allocation went wrong"

# An unknown option: what argp says of it is shown as all text is, or that there was no memory.
option=$(printf -- '--no-such-\033')
run 2 env LD_PRELOAD="$allocations" LS_ALLOC_SITES=sites "$lockstep" eval "$option"
[[ -s sites ]] || fail 'no allocation was seen'
for site in $(cat sites); do
  last="eval --no-such, LS_ALLOC_FAIL=$site"
  LD_PRELOAD=$allocations LS_ALLOC_FAIL=$site "$lockstep" eval "$option" >out 2>err
  status=$?
  [[ $status -eq 1 || $status -eq 2 ]] || fail "'$last' ended with $status"
  one_error
  ! grep -q "$(printf '\033')" err || fail "'$last' is not escaped: $(cat -v err)"
done
# On one rank alone: the others end with it.
attack=("$lockstep" attack missing.h5 --method fgsm --epsilon 0.1)
run 2 env LD_PRELOAD="$allocations" LS_ALLOC_SITES=parsing "${attack[@]}"
for site in $(cat parsing); do
  last="${attack[*]}, LS_ALLOC_FAIL=$site on rank 1"
  timeout -k 5 "$hang_s" "$root/tests/mpirun.sh" 2 \
    env LD_PRELOAD="$allocations" LS_ALLOC_FAIL="$site" LS_ALLOC_RANK=1 "${attack[@]}" >out 2>err
  status=$?
  [[ $status -eq 1 || $status -eq 2 ]] || fail "'$last' ended with $status"
  err_has '^lockstep: (out of memory|input error): '
done
finish
