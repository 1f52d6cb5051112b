#!/usr/bin/env bash
# Installs what the tests need, builds with gcc and clang, and runs every test. The last line counts results.
#
#   bash tests/run.sh [-L LABEL]      LABEL: unit, parallel or cli; alone: everything
set -uo pipefail
cd "$(dirname "$0")/.."
bash jobs/bootstrap.sh --tests || exit 1

passed=0 failed=0 skipped=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# result NAME STATUS LOG: counts the result of a test that is no ctest program, and prints why it was skipped or failed.
result() {
  case $2 in
    0) passed=$((passed + 1)); echo "ok      $1" ;;
    77) skipped=$((skipped + 1)); echo "skipped $1: $(tail -n 1 "$3")" ;;
    *) failed=$((failed + 1)); echo "FAILED  $1, status $2"; grep '^FAILED' "$3"; tail -n 100 "$3" ;;
  esac
}

# check NAME COMMAND...: one test that is no ctest program.
check() {
  local name=$1 start=$SECONDS status
  shift
  "$@" >"$log" 2>&1
  status=$?
  result "$name ($((SECONDS - start)) s)" $status "$log"
}

# start_scripts SCRIPT..., finish_scripts: tests that wait more than they compute, one after the other beside something
# else.
start_scripts() {
  background=("$@") background_logs=$(mktemp -d)
  for script in "${background[@]}"; do
    timeout --verbose -k 60 3000 bash "$script" >"$background_logs/${script##*/}" 2>&1
    echo $? >"$background_logs/${script##*/}.status"
  done &
  background_pid=$!
}

finish_scripts() {
  local script
  wait "$background_pid"
  for script in "${background[@]}"; do
    result "$script" "$(<"$background_logs/${script##*/}.status")" "$background_logs/${script##*/}"
  done
  rm -rf "$background_logs"
}

# run_ctest NAME ARG...: every ctest program counts by itself; one without a result, since ctest has not come to it, has
# failed.
run_ctest() {
  local name=$1 start=$SECONDS
  shift
  ctest --output-on-failure --no-tests=error "$@" >"$log" 2>&1
  local status=$?
  local p f s all
  p=$(grep -cE '^ *[0-9]+/[0-9]+ Test .* Passed ' "$log")
  s=$(grep -cE '^ *[0-9]+/[0-9]+ Test .*\*\*\*Skipped ' "$log")
  all=$(sed -nE 's/.* tests? failed out of ([0-9]+)$/\1/p' "$log" | tail -n 1)
  f=$((${all:-0} - p - s))
  if [[ $f -le 0 ]]; then f=$((status != 0)); fi
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  echo "$name: $p passed, $f failed, $s skipped ($((SECONDS - start)) s)"
  grep -E '\*\*\*Skipped' "$log" || true
  if [[ $f -gt 0 ]]; then grep -vE ' Passed ' "$log" | tail -n 300; fi
}

build() { # build PRESET [TARGET]
  cmake --preset "$1" -DLS_WERROR=ON -DLS_ASSERTIONS=ON && cmake --build --preset "$1" --target "${2:-all}"
}

# Open MPI's own transports alone: half of a start's time goes into the search for the network cards of clusters.
export OMPI_MCA_pml=ob1 OMPI_MCA_btl=self,vader,tcp

only=("$@")
check 'build: gcc, release, warnings are errors' build release
export LOCKSTEP=$PWD/build/release/lockstep
if [[ ${#only[@]} -eq 0 ]]; then
  bash jobs/bootstrap.sh --cluster || true # without it those tests are skipped
  start_scripts tests/cluster/test_slurm.sh tests/cluster/netns.sh
  check 'style: clang-format' bash tests/style/format.sh
  check 'style: arrows between modules' bash tests/style/layering.sh
  check 'style: no file but its own knows a kind' bash tests/style/kinds.sh
  check 'style: sizes of files, folders and functions' bash tests/style/sizes.sh
  check 'style: no code stands twice' bash tests/style/clones.sh
  check 'set-up: bootstrap waits for apt, and knows architectures' bash tests/style/bootstrap.sh
  check 'set-up: cmake says what is missing, and finds HDF5' bash tests/style/configure.sh
  check 'races: the watchdog under ThreadSanitizer' bash tests/races.sh
  check 'build: clang, release, warnings are errors' build clang
  check 'build: gcc, ASan and UBSan' build asan
  check 'build: gcc, CBLAS back end, tests of layers' build cblas layer_tests
fi
if [[ -z "${LOCKSTEP_DATA_PATH:-}" && -d ../shared/data ]]; then
  LOCKSTEP_DATA_PATH=$(cd ../shared/data && pwd)
  export LOCKSTEP_DATA_PATH
fi
if [[ ${#only[@]} -eq 0 ]]; then
  run_ctest 'clang, unit' --test-dir build/clang -L unit -j 2
  run_ctest 'clang, fault points' --test-dir build/clang -R '^cli\.faults$'
  run_ctest 'ASan and UBSan, unit' --test-dir build/asan -L unit -j 2
  run_ctest 'CBLAS, layers' --test-dir build/cblas -R '^unit\.(nn|train)' -j 2
  check 'fuzz: every parser of outside bytes, some seconds each' bash tests/fuzz/run.sh 3
  finish_scripts
fi
run_ctest 'release' --test-dir build/release -j 3 -E '^cli\.faults$' "${only[@]}" # these wait much; no faults in a release
if [[ ${#only[@]} -eq 0 ]]; then
  run_ctest 'ASan and UBSan, parallel' --test-dir build/asan -L parallel -E '\.[58]$' # time: up to 4 ranks
  check 'install: cmake --install, pkg-config, find_package' bash tests/style/install.sh
  check 'chaos: runs that are killed, starved and damaged end with the same bits' bash tests/chaos/run.sh
fi

if [[ $skipped -gt 0 ]]; then
  echo "$passed passed, $failed failed, $skipped skipped"
else
  echo "$passed passed, $failed failed"
fi
[[ $failed -eq 0 ]]
