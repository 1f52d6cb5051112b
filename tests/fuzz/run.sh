#!/usr/bin/env bash
# Builds the fuzz targets, makes their seeds and runs each for a while. A line per target; fails if one crashed,
# leaked, hung or asked for much memory, and keeps the input that made it.
#
#   bash tests/fuzz/run.sh [SECONDS] [FOLDER]
#
# SECONDS: per target, 60 by default. FOLDER: keeps the corpora, to go on from the next time; FOLDER/crashes
# holds what failed. Without it, the corpora are thrown away and the crashes stay in build/fuzz/crashes.
set -uo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-60}
crashes=${2:-$PWD/build/fuzz}/crashes
options=(-max_total_time="$seconds" -rss_limit_mb=512 -malloc_limit_mb=64 -timeout=60 -len_control=10
         -print_final_stats=1)
export ASAN_OPTIONS=quarantine_size_mb=16:fast_unwind_on_malloc=1 # quicker; MPI, whose leaks need whole stacks, is not started

bash jobs/bootstrap.sh --tests || exit 1
build_log=$(mktemp)
if ! { cmake --preset fuzz && cmake --build --preset fuzz; } >"$build_log" 2>&1; then
  tail -n 40 "$build_log"
  exit 1
fi
rm "$build_log"
bin=$PWD/build/fuzz/tests/fuzz
work=$(mktemp -d -p /dev/shm lockstep-fuzz-XXXXXX) # in memory: every execution writes files
trap 'rm -rf "$work"' EXIT
mkdir -p "$crashes" "$work/corpus"
[[ -z "${2:-}" ]] || find "$2" -mindepth 1 -maxdepth 1 -type d ! -name crashes -exec cp -r -t "$work/corpus" {} +
"$bin/fuzz_seeds" "$work/corpus" || exit 1
python=/usr/bin/python3 # whose h5py is the distribution's
if "$python" -c 'import h5py' 2>/dev/null; then
  mkdir -p "$work/corpus/h5_bytes"
  "$python" tests/fuzz/make_h5_seeds.py "$work/corpus/h5_bytes" || exit 1
fi

# libhdf5 opens and writes whatever files an input names: root's rights are not for it.
plain=()
if [[ $EUID -eq 0 ]]; then plain=(setpriv --reuid=65534 --regid=65534 --clear-groups); fi

failed=0
for program in "$bin"/fuzz_*; do
  target=$(basename "$program")
  target=${target#fuzz_}
  corpus=$work/corpus/$target/
  [[ "$target" != seeds ]] || continue
  [[ "$target" != h5_bytes || -d "$corpus" ]] || { echo "skipped h5_bytes: python3-h5py is not installed"; continue; }
  [[ -d "$corpus" ]] || { failed=1; echo "FAILED  $target: fuzz_seeds makes no seeds for it"; continue; }
  mkdir -p "$work/$target/crashes" "$work/$target/files"
  cp "$bin/fuzz_$target" "$work/$target/run" # the build may lie where only root looks
  chmod -R a+rwX "$work"
  log=$work/$target/log
  if (cd "$work/$target/files" && "${plain[@]}" ../run "${options[@]}" -artifact_prefix=../crashes/ "$corpus") \
    >"$log" 2>&1; then outcome=ok; else outcome=FAILED; failed=1; fi
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  coverage=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
  count=0 # where the target is ok, files are of the child processes that are there to crash (src/h5/guard.c)
  [[ $outcome == ok ]] || count=$(find "$work/$target/crashes" -type f | wc -l)
  printf '%-7s %-10s %9s executions, %5s branches reached, %s crashes\n' "$outcome" "$target" "${executions:-0}" \
    "${coverage:-0}" "$count"
  [[ $outcome == ok ]] && continue
  cp "$log" "$crashes/$target.log"
  find "$work/$target/crashes" -type f -exec cp -t "$crashes" {} +
  tail -n 40 "$log"
  echo "the input and the log are in $crashes; in an empty folder, run: $bin/fuzz_$target $crashes/<input>"
done
[[ -z "${2:-}" ]] || cp -r -t "$2" "$work"/corpus/*/
exit $failed
