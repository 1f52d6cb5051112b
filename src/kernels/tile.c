/* SPDX-License-Identifier: BSD-3-Clause */
/* The register tiles for the processor that the program is built for, and the choice of tiles. */
#define TILE_KERNELS ls_tile_built
#include "kernels/tile_kernels.h"

const ls_tile_kernels *ls_tile_choose(void)
{
#ifdef LS_TILE_AVX2
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &ls_tile_avx2;
#endif
  return &ls_tile_built;
}
