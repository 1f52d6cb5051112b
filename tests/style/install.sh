#!/usr/bin/env bash
# cmake --install puts the program, the library and the headers where they belong, and a program outside of the
# tree can be built with them.
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
