#!/usr/bin/env bash
# Builds with other compilers, with warnings as errors, and compares the bits that they train; not part of CI.
#
#   bash tests/compilers.sh [--install] [COMPILER...]    default: gcc-11 gcc-12, clang-14; --install: by apt, as root
#
# clang needs the OpenMP library of its own version, of which Debian installs one at a time. Another release of Debian,
# with another HDF5 and Open MPI: RELEASE=trixie bash tests/fresh.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
install=false
[[ "${1:-}" != --install ]] || { install=true && shift; }
compilers=("$@")
[[ $# -gt 0 ]] || compilers=(gcc-11 gcc-12 clang-14)
if $install; then apt-get -qq install -y --no-install-recommends "${compilers[@]}" >/dev/null; fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
first=
for compiler in "${compilers[@]}"; do
  command -v "$compiler" >/dev/null || { echo "skipped $compiler: it is not installed"; continue; }
  build=build/compilers-$compiler
  cmake -S . -B "$build" -G Ninja -DCMAKE_C_COMPILER="$compiler" -DLS_WERROR=ON >"$folder/log" || { cat "$folder/log"; exit 1; }
  cmake --build "$build" >"$folder/log" || { cat "$folder/log"; exit 1; }
  ctest --test-dir "$build" -R '^unit\.(nn|h5|store)\.' >"$folder/log" || { cat "$folder/log"; exit 1; }
  digest=
  for net in lenet5 fast_cnn resnet20; do
    OMP_NUM_THREADS=1 "$build/lockstep" train "configs/$net.yaml" data.source=fashion-mnist data.fraction=0.01 train.epochs=1 \
      -o "$folder/$compiler-$net" >"$folder/log" || { cat "$folder/log"; exit 1; }
    digest+=" $(sed -nE 's/.*"weights_digest": "([0-9a-f]*)".*/\1/p' "$folder/$compiler-$net/summary.json")"
  done
  echo "$compiler:$digest"
  [[ -n $first ]] || first=$digest
  [[ $digest == "$first" ]] || { echo "FAILED: $compiler trains other bits"; exit 1; }
done
