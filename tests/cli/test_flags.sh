#!/usr/bin/env bash
# Flags of a distribution that let the compiler forget NaN or reorder sums: refused, by the build and by each file.
source "$(dirname "$0")/lib.sh"
header=$root/src/base/strict_math.h
echo 'int main(void) { return 0; }' >plain.c
for compiler in gcc clang; do
  command -v "$compiler" >/dev/null || { echo "no $compiler here"; continue; }
  for flag in -ffast-math -Ofast -ffinite-math-only; do
    run 1 "$compiler" "$flag" -include "$header" -fsyntax-only plain.c
    err_has 'error.*lockstep cannot be built with -ffast-math'
  done
  run 0 "$compiler" -O3 -fno-math-errno -fno-trapping-math -ffp-contract=off -include "$header" -fsyntax-only plain.c
done
run 1 gcc -funsafe-math-optimizations -include "$header" -fsyntax-only plain.c
err_has 'error.*lockstep cannot be built with'

# By name, also where a compiler does not report it, and for the link.
for flags in 'CFLAGS=-O2 -ffast-math -g' CFLAGS=-Ofast 'CFLAGS=-g -fassociative-math' LDFLAGS=-ffast-math; do
  rm -rf build
  run 1 env "$flags" cmake -S "$root" -B build -DLS_TESTS=OFF
  err_has 'lockstep cannot be built with'
done
rm -rf build
run 0 env 'CFLAGS=-O2 -g -fstack-protector-strong -ffp-contract=fast -Wformat' cmake -S "$root" -B build -DLS_TESTS=OFF
# Ours come last, and win.
compile=$(grep -o -- '-ffp-contract=[a-z]*' build/compile_commands.json | uniq | head -n 2 | tr '\n' ' ')
[[ $compile == '-ffp-contract=fast -ffp-contract=off ' ]] || fail "the order of flags is: $compile"
grep -q 'strict_math.h' build/compile_commands.json || fail 'the files are not checked'
[[ $(grep -c '"command"' build/compile_commands.json) -eq $(grep '"command"' build/compile_commands.json | grep -c strict_math.h) ]] ||
  fail 'some files are not checked'

# A library that was linked so has set the processor to flush small numbers, and to round up, before main() begins.
if [[ $(uname -m) == x86_64 ]]; then
  cat >fast.c <<'C'
#include <xmmintrin.h>
__attribute__((constructor)) static void begin(void) { _mm_setcsr(_mm_getcsr() | 0x8040 | 0x4000); }
C
  run 0 gcc -shared -fPIC -o fast.so fast.c
  toy toy 60 20
  toy_config
  run 0 "$lockstep" train toy.yaml -o strict
  run 0 env LD_PRELOAD="$work/fast.so" OMP_NUM_THREADS=2 "$lockstep" train toy.yaml -o fast
  holds 'the processor computes as ever' 'd[0]["weights_digest"] == d[1]["weights_digest"]' strict/summary.json fast/summary.json
fi
finish
