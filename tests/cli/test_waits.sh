#!/usr/bin/env bash
# OpenMP's threads spin briefly where they wait for each other, unless the user has chosen how they wait.
source "$(dirname "$0")/lib.sh"
for variable in $(compgen -e | grep -E '^(OMP|GOMP|KMP)_'); do unset "$variable"; done
toy toy 333 20
toy_config

# LLVM's libomp has a function for it.
# is_called_with PATTERN VARIABLE...: what that function is called with, in a program that runs with these variables of the
# user.
is_called_with() {
  local pattern=$1
  shift
  : >blocktime
  run 0 env OMP_NUM_THREADS=2 "$@" LD_PRELOAD="$(preloaded blocktime)" ASAN_OPTIONS=verify_asan_link_order=0 \
    LS_BLOCKTIME="$work/blocktime" "$lockstep" bench toy.yaml --seconds 0.1
  [[ "$(<blocktime)" =~ ^$pattern$ ]] || fail "$*: libomp is called with '$(<blocktime)' ms, not $pattern"
}
if ldd "$lockstep" | grep libomp >/dev/null; then
  is_called_with 1
  for chosen in KMP_BLOCKTIME=77 OMP_WAIT_POLICY=active OMP_NUM_THREADS=1; do is_called_with '' "$chosen"; done
  finish
  exit
fi
ldd "$lockstep" | grep libgomp >/dev/null || { echo 'SKIPPED: this program uses another OpenMP than libgomp and libomp'; exit 77; }

# GCC's libgomp reads a variable when it is loaded.
# has_spin_count PATTERN VARIABLE...: what the variable is in a program that runs with these variables of the user.
has_spin_count() {
  local pattern=$1 process found
  shift
  hold_at toy here
  launch env OMP_NUM_THREADS=2 "$@" "${held[@]}" "$lockstep" bench toy.yaml
  await 'the data to be opened' $pid test -e here.hold.reached
  rm here.hold.reached
  process=$(pgrep -f "^$lockstep bench" | while read -r p; do [[ $(readlink "/proc/$p/cwd") == "$work" ]] && echo "$p"; done)
  found=$(tr '\0' '\n' <"/proc/$process/environ" | sed -n 's/^GOMP_SPINCOUNT=//p')
  [[ "$found" =~ ^$pattern$ ]] || fail "$*: threads spin '$found' times, not $pattern"
  [[ $(<"/proc/$process/comm") == lockstep ]] || fail "the program is called $(<"/proc/$process/comm")"
  kill "$process"
  wait $pid
}
has_spin_count '[1-9][0-9]{4}'
has_spin_count 77 GOMP_SPINCOUNT=77
has_spin_count '' OMP_WAIT_POLICY=active
has_spin_count '' OMP_PROC_BIND=true # its first thread is bound already, and a program that starts again would stay so
has_spin_count '' OMP_NUM_THREADS=1
finish
