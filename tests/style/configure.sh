#!/usr/bin/env bash
# What cmake says of a system that lacks something, and where it finds HDF5. Nothing is compiled.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
count=0

# configure ARG...: out has what cmake said, on one line, since cmake wraps it.
configure() {
  count=$((count + 1))
  local status=0
  cmake -S . -B "$folder/$count" -G Ninja "$@" >"$folder/out" 2>&1 || status=$?
  tr -s ' \n' ' ' <"$folder/out" >"$folder/line"
  return $status
}
fail() {
  echo "FAILED: $1"
  cat "$folder/out"
  exit 1
}
says() { grep -qE "$1" "$folder/line" || fail "it does not say: $1"; }
refuses() { # refuses TEXT ARG...
  local text=$1
  shift
  if configure "$@"; then fail "taken: $*"; fi
  says "$text"
}

# All that pkg-config knows, to take some of it away.
mkdir "$folder/known"
while read -r name _; do
  file=$(pkg-config --path "$name" 2>/dev/null) || file=$(pkg-config --variable pcfiledir "$name")/$name.pc
  [[ ! -e $file ]] || cp -L "$file" "$folder/known"
done < <(pkg-config --list-all | grep -E '^(hdf5|yaml|libxxhash|jansson|libzip|libprotobuf-c|openblas|zlib|libpng|cmocka|ompi|mpi)')
known() { # known EXCEPT: a folder with everything but some
  rm -rf "$folder/pc"
  cp -r "$folder/known" "$folder/pc"
  # shellcheck disable=SC2086
  (cd "$folder/pc" && rm -f $1)
  export PKG_CONFIG_LIBDIR=$folder/pc
}

refuses 'LS_GEMM=mkl is unknown: auto, xsmm .* or cblas' -DLS_GEMM=mkl
known 'openblas.pc yaml*.pc'
refuses 'libyaml \(Debian: libyaml-dev\) OpenBLAS, .* \(Debian: libopenblas-pthread-dev\)' -DLS_GEMM=cblas
known 'cmocka.pc'
configure || fail 'it needs cmocka'
says 'Built without tests: cmocka is missing \(Debian: libcmocka-dev\)'
[[ ! -e $folder/$count/CTestTestfile.cmake ]] || fail 'tests without cmocka'

# HDF5 as Debian names it, as others do, by FindHDF5, and nowhere.
known ''
configure -DLS_TESTS=OFF -DCMAKE_DISABLE_FIND_PACKAGE_HDF5=ON || fail 'hdf5-serial is not found'
says 'HDF5 1\.'
known ''
mv "$folder/pc/hdf5-serial.pc" "$folder/pc/hdf5.pc"
configure -DLS_TESTS=OFF -DCMAKE_DISABLE_FIND_PACKAGE_HDF5=ON || fail 'hdf5.pc is not found'
says 'HDF5 1\.'
known 'hdf5*.pc'
configure -DLS_TESTS=OFF || fail 'HDF5 is not found by FindHDF5'
says 'Found HDF5'
refuses 'HDF5 1\.10\.5, .* \(Debian: libhdf5-dev\)' -DCMAKE_DISABLE_FIND_PACKAGE_HDF5=ON
unset PKG_CONFIG_LIBDIR
HDF5_ROOT=/usr configure -DLS_TESTS=OFF || fail 'HDF5_ROOT is not taken'
says 'Found HDF5'
configure -DLS_TESTS=OFF || fail 'it cannot be configured'
count=$((count - 1)) # the same folder once more
configure -DLS_TESTS=OFF -DHDF5_ROOT=/usr || fail 'HDF5_ROOT is not taken in a folder that has been configured before'
says 'Found HDF5'

# gcc that calls itself an older one.
printf '#!/bin/sh\nexec gcc -Wno-builtin-macro-redefined -U__GNUC__ -D__GNUC__=10 "$@"\n' >"$folder/old-gcc"
chmod 755 "$folder/old-gcc"
refuses 'lockstep needs gcc 11 or clang 13; .*old-gcc is GNU 10\.' -DCMAKE_C_COMPILER="$folder/old-gcc"
grep -qE '"version": [123],' CMakePresets.json || fail 'cmake 3.22 reads presets up to version 3'

# Users' builds have no assertions, those whose tests run do, and fault points are in none that users make.
flags() { # flags PRESET ARG...: of what the preset compiles, the last one that says something of NDEBUG; and LS_FAULTS
  local file=$folder/flags/compile_commands.json
  rm -rf "$folder/flags"
  cmake --preset "$1" -B "$folder/flags" "${@:2}" >"$folder/out" 2>&1 || fail "preset $1 cannot be configured"
  for source in src/base/memory.c src/cli/main.c; do
    grep -E "\"command\": .*-c [^ ]*/$source\"" "$file" | grep -oE -- ' -(U|D)NDEBUG' | tail -n 1
  done | sort -u | tr -d '\n'
  ! grep -q -- '-DLS_FAULTS' "$file" || printf ' faults'
}
for case in 'release: -DNDEBUG' 'release: -UNDEBUG -DLS_ASSERTIONS=ON' 'debug: -UNDEBUG faults' \
  'asan: -UNDEBUG faults' 'clang: -UNDEBUG faults' 'cblas: -UNDEBUG' 'fuzz: -UNDEBUG'; do
  preset=${case%%:*} expected=${case#*:} given=()
  if [[ $case == *LS_ASSERTIONS* ]]; then given=(-DLS_ASSERTIONS=ON) expected=${expected% -DLS*}; fi
  [[ $(flags "$preset" "${given[@]}") == "$expected" ]] || fail "$preset: '$(flags "$preset" "${given[@]}")', not '$expected'"
done
configure -DLS_TESTS=OFF || fail 'it cannot be configured'
grep -q -- '-DNDEBUG' "$folder/$count/compile_commands.json" || fail 'a build without a preset has assertions'
grep -qE '^ *cmake --preset "\$1" .*-DLS_ASSERTIONS=ON' tests/run.sh || fail 'tests/run.sh tests a release without assertions'
echo "configure: what is missing is named"
