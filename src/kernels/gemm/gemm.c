/* SPDX-License-Identifier: BSD-3-Clause */
/* Chooses the kernel of a product. libxsmm's tile is 32 x 3 on AVX2: with 8 or 16 rows it has too few sums
 * in flight to hide the latency of a fused multiply-add, and it refuses matrices whose columns overlap. Those
 * products, and all that the library has no kernel for, run on our own tiles. */
#include "kernels/gemm/gemm.h"

#include <stdlib.h>

#include "base/memory.h"
#include "kernels/dispatch.h"
#include "kernels/gemm/backend.h"

enum { FEW_ROWS = 16 };

struct ls_gemm {
  ls_gemm_shape shape;
  ls_backend_kernel *kernel; /* NULL: tiles */
  ls_tile_function *tiles;   /* NULL: the kernel */
};

static bool wants_tiles(const ls_gemm_shape *shape)
{
  const bool overlapping = shape->ldb < (shape->transpose_b ? shape->n : shape->k) || shape->ldc < shape->m;
  const bool better = !ls_backend_is_for_small || shape->m <= FEW_ROWS || overlapping;
  return shape->m % LS_TILE_ROWS == 0 && better;
}

ls_status ls_gemm_new(ls_gemm **out, const ls_gemm_shape *shape)
{
  ls_gemm *gemm;
  LS_PASS(ls_alloc(&gemm, 1, sizeof *gemm, "a matrix product"));
  gemm->shape = *shape;
  ls_status status = LS_OK;
  if (!wants_tiles(shape)) LS_GO(ls_backend_new(&gemm->kernel, shape));
  if (!gemm->kernel) gemm->tiles = ls_kernel_set_choose()->product;
  *out = gemm;
  gemm = NULL;
done:
  ls_gemm_free(gemm);
  return status;
}

void ls_gemm_free(ls_gemm *gemm)
{
  if (!gemm) return;
  ls_backend_free(gemm->kernel);
  free(gemm);
}

void ls_gemm_fill(const ls_gemm *gemm, const float *start, float *c)
{
  const size_t m = gemm->shape.m;
  for (size_t j = 0; j < gemm->shape.n; j++, c += gemm->shape.ldc)
    for (size_t i = 0; i < m; i++) c[i] = start[i];
}

void ls_gemm_run(const ls_gemm *gemm, const float *start, const float *a, const float *b, float *c,
                 const ls_gemm_batch *batch)
{
  static const uint64_t here = 0;
  static const ls_gemm_batch single = {&here, &here, 1};
  if (!batch) batch = &single;
  if (gemm->tiles) {
    gemm->tiles(&gemm->shape, &(ls_tile_data){.start = start, .a = a, .b = b, .c = c, .batch = batch});
    return;
  }
  if (start) ls_gemm_fill(gemm, start, c);
  ls_backend_run(gemm->kernel, a, b, c, batch);
}
