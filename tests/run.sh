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

# check NAME COMMAND...: one test that is no ctest program.
check() {
  local name=$1 start=$SECONDS
  shift
  if "$@" >"$log" 2>&1; then
    passed=$((passed + 1))
    echo "ok      $name ($((SECONDS - start)) s)"
  else
    failed=$((failed + 1))
    echo "FAILED  $name"
    tail -n 60 "$log"
  fi
}

# start_scripts SCRIPT..., finish_scripts: tests that wait more than they compute, one after the other beside something
# else.
start_scripts() {
  background=("$@") background_logs=$(mktemp -d)
  for script in "${background[@]}"; do
    bash "$script" >"$background_logs/${script##*/}" 2>&1
    echo $? >"$background_logs/${script##*/}.status"
  done &
  background_pid=$!
}

finish_scripts() {
  local script log
  wait "$background_pid"
  for script in "${background[@]}"; do
    log=$background_logs/${script##*/}
    case $(<"$log.status") in
      0) passed=$((passed + 1)); echo "ok      $script" ;;
      77) skipped=$((skipped + 1)); echo "skipped $script: $(tail -n 1 "$log")" ;;
      *) failed=$((failed + 1)); echo "FAILED  $script"; grep '^FAILED' "$log"; tail -n 100 "$log" ;;
    esac
  done
  rm -rf "$background_logs"
}

# run_ctest NAME ARG...: every ctest program counts by itself.
run_ctest() {
  local name=$1 start=$SECONDS
  shift
  ctest --output-on-failure --no-tests=error "$@" >"$log" 2>&1
  local status=$?
  local p f s
  p=$(grep -cE '^ *[0-9]+/[0-9]+ Test .* Passed ' "$log")
  s=$(grep -cE '^ *[0-9]+/[0-9]+ Test .*\*\*\*Skipped ' "$log")
  f=$(grep -cE '^ *[0-9]+/[0-9]+ Test .*\*\*\*(Failed|Timeout|Exception|Not Run)' "$log")
  if [[ $status -ne 0 && $f -eq 0 ]]; then f=1; fi
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  echo "$name: $p passed, $f failed, $s skipped ($((SECONDS - start)) s)"
  grep -E '\*\*\*Skipped' "$log" || true
  if [[ $f -gt 0 ]]; then grep -vE ' Passed ' "$log" | tail -n 200; fi
}

build() { # build PRESET [CMAKE ARG...]
  local preset=$1
  shift
  cmake --preset "$preset" -DLS_WERROR=ON "$@" && cmake --build --preset "$preset"
}

only=("$@")
check 'build: gcc, release, warnings are errors' build release
export LOCKSTEP=$PWD/build/release/lockstep
if [[ ${#only[@]} -eq 0 ]]; then
  bash jobs/bootstrap.sh --cluster || true # without it those tests are skipped
  start_scripts tests/cluster/test_slurm.sh tests/cluster/netns.sh
  check 'style: clang-format' bash tests/style/format.sh
  check 'style: arrows between modules' bash tests/style/layering.sh
  check 'build: clang, release, warnings are errors' build clang
  check 'build: gcc, ASan and UBSan' build asan
  check 'build: gcc, CBLAS back end' build cblas
fi
if [[ -z "${LOCKSTEP_DATA_PATH:-}" && -d ../shared/data ]]; then
  LOCKSTEP_DATA_PATH=$(cd ../shared/data && pwd)
  export LOCKSTEP_DATA_PATH
fi
if [[ ${#only[@]} -eq 0 ]]; then
  run_ctest 'clang, unit' --test-dir build/clang -L unit -j 2
  run_ctest 'ASan and UBSan, unit' --test-dir build/asan -L unit -j 2
  run_ctest 'CBLAS, layers' --test-dir build/cblas -R '^unit\.(nn|train)' -j 2
  check 'fuzz: every parser of outside bytes, some seconds each' bash tests/fuzz/run.sh 3
  finish_scripts
fi
run_ctest 'release' --test-dir build/release -j 3 "${only[@]}" # these wait much
if [[ ${#only[@]} -eq 0 ]]; then
  run_ctest 'ASan and UBSan, parallel' --test-dir build/asan -L parallel -E '\.[58]$' # time: up to 4 ranks
  check 'install: cmake --install' bash tests/style/install.sh
  check 'chaos: runs that are killed, starved and damaged end with the same bits' bash tests/chaos/run.sh
fi

if [[ $skipped -gt 0 ]]; then
  echo "$passed passed, $failed failed, $skipped skipped"
else
  echo "$passed passed, $failed failed"
fi
[[ $failed -eq 0 ]]
