#!/usr/bin/env bash
# cmake --install puts the program, the library and the headers where they belong, and a program outside of the
# tree can be built with them: by pkg-config, and by CMake's find_package(lockstep).
set -euo pipefail
cd "$(dirname "$0")/../.."
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT
cmake --install build/release --prefix "$prefix"
"$prefix/bin/lockstep" --version
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name lockstep.pc)")
export PKG_CONFIG_PATH
cat >"$prefix/use.c" <<'C'
#include <lockstep/lockstep.h>
#include <stdio.h>
int main(void)
{
  lockstep_model *model = NULL;
  if (lockstep_model_open("missing.h5", &model) == 0) return 1;
  return printf("%s: %s\n", lockstep_version(), lockstep_error()) < 0;
}
C
# shellcheck disable=SC2046
cc -o "$prefix/use" "$prefix/use.c" $(pkg-config --cflags --libs lockstep)
LD_LIBRARY_PATH=$(dirname "$(find "$prefix" -name 'liblockstep.so')") "$prefix/use" | grep 'missing.h5'

# A project of its own, which asks for the version that is there, and then for one that is not.
mkdir "$prefix/project"
cat >"$prefix/project/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.22)
project(use C)
find_package(lockstep ${WANTED} REQUIRED)
add_executable(use ../use.c)
target_link_libraries(use PRIVATE lockstep::lockstep)
CMAKE
version=$("$prefix/bin/lockstep" --version)
project() { cmake -S "$prefix/project" -B "$prefix/project/build" -DCMAKE_PREFIX_PATH="$prefix" -DWANTED="$1"; }
project "${version#lockstep }"
cmake --build "$prefix/project/build"
"$prefix/project/build/use" | grep 'missing.h5'
if project 99; then
  echo "FAILED: find_package takes version 99 of lockstep"
  exit 1
fi
