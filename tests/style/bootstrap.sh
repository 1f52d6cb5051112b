#!/usr/bin/env bash
# jobs/bootstrap.sh beside apt-get and dpkg of our own: it waits for apt's locks and for nothing else, and takes
# OpenBLAS where libxsmm is not made for the processor.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

fail() {
  echo "FAILED: $1"
  cat "$folder/out"
  exit 1
}
stub() { # stub NAME: a program of ours, from standard input
  (echo '#!/bin/bash' && cat) >"$folder/$1"
  chmod 755 "$folder/$1"
}
bootstrap() { # bootstrap ARCHITECTURE ERROR TIMES: how it ends is its status
  echo "$1" >"$folder/architecture"
  echo "$2" >"$folder/error"
  echo "$3" >"$folder/times"
  : >"$folder/asked"
  env PATH="$folder:$PATH" FOLDER="$folder" bash jobs/bootstrap.sh >"$folder/out" 2>&1
}
stub dpkg <<<'cat "$FOLDER/architecture"'
stub dpkg-query <<<'exit 1'
stub sudo <<<'exec "$@"'
stub sleep <<<'exit 0'
stub apt-get <<'S'
echo "$*" >>"$FOLDER/asked"
times=$(<"$FOLDER/times")
[[ $times -gt 0 ]] || exit 0
echo $((times - 1)) >"$FOLDER/times"
cat "$FOLDER/error" >&2
exit 100
S

lock='E: Could not get lock /var/lib/apt/lists/lock. It is held by process 17 (apt-get)'
bootstrap amd64 "$lock" 3 || fail 'it does not wait for the lock of the lists'
[[ $(grep -c 'waiting' "$folder/out") == 1 ]] || fail 'it does not say once that it waits'
grep -q 'install.* libxsmm-dev' "$folder/asked" || fail 'no libxsmm on amd64'
bootstrap arm64 '' 0 || fail 'it fails on arm64'
if grep -q 'libxsmm' "$folder/asked"; then fail 'libxsmm on arm64, where it is not to be had'; fi
grep -q 'install.* libopenblas-pthread-dev' "$folder/asked" || fail 'no OpenBLAS on arm64'
if bootstrap amd64 'E: Unable to locate package libhdf5-dev' 1; then fail 'an error that is no lock is not reported'; fi
grep -q 'Unable to locate package libhdf5-dev' "$folder/out" || fail 'the error of apt is not shown'
[[ $(wc -l <"$folder/asked") == 1 ]] || fail 'what is no lock is tried again'
if bootstrap amd64 "$lock" 1000; then fail 'it waits for ever'; fi
echo "bootstrap: locks and architectures are as they should be"
