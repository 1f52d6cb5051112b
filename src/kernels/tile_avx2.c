/* SPDX-License-Identifier: BSD-3-Clause */
/* The register tiles for AVX2, in a build for any x86-64 processor. */
#include "kernels/tile.h"

#ifdef LS_TILE_AVX2
#ifdef __clang__
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif

#define TILE_AVX2
#define TILE_KERNELS ls_tile_avx2
#include "kernels/tile_kernels.h"

#ifdef __clang__
#pragma clang attribute pop
#endif
#endif
