#!/usr/bin/env bash
# Feeds every parser of outside bytes with inputs that libFuzzer makes up from sound ones.
#
#   bash tests/fuzz/run.sh [SECONDS [CORPUS]]   SECONDS: for each target, default 60; CORPUS: a folder to go on with
#
# A crash, a leak, 10 s without an end, an allocation above 256 MB or 1 GB in all fails; the input is kept.
set -uo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-60}
bash jobs/bootstrap.sh --tests || exit 1
if ! { cmake --preset fuzz && cmake --build --preset fuzz; } >build-fuzz.log 2>&1; then
  cat build-fuzz.log
  rm build-fuzz.log
  exit 1
fi
rm build-fuzz.log
export ASAN_OPTIONS=fast_unwind_on_malloc=1:quarantine_size_mb=64 # quicker; MPI, which needs whole stacks, does not run
work=$(mktemp -d)
trap 'rm -rf "$work" /dev/shm/lockstep-fuzz-*' EXIT
corpus=${2:-$work/corpus}
python3 tests/fuzz/seeds.py "$work/seeds"

failed=0
for program in build/fuzz/fuzz/fuzz_*; do
  target=$(basename "$program")
  mkdir -p "$corpus/$target"
  "$program" -max_total_time="$seconds" -max_len=8192 -rss_limit_mb=1024 -malloc_limit_mb=256 -timeout=10 \
    -artifact_prefix="build/fuzz/$target-" -print_final_stats=1 "$corpus/$target" "$work/seeds/$target" \
    >"$work/log" 2>&1
  status=$?
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log")
  covered=$(sed -n 's/.*cov: \([0-9]*\).*/\1/p' "$work/log" | tail -n 1)
  peak=$(sed -n 's/^stat::peak_rss_mb: *//p' "$work/log")
  if [[ $status -eq 0 ]]; then
    echo "ok      $target: ${runs:-?} inputs, ${covered:-?} places covered, ${peak:-?} MB"
  else
    failed=1
    echo "FAILED  $target: its input is in build/fuzz/$target-*"
    tail -n 40 "$work/log"
  fi
done
exit $failed
