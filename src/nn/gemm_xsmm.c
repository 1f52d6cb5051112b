/* SPDX-License-Identifier: BSD-3-Clause */
/* Small matrix products by libxsmm, which compiles a kernel for each shape when it is planned. Every kernel
 * is of the batch-reduce kind with offsets: a batch of one costs a few instructions more than a plain kernel,
 * and one kind of kernel is enough. Prefetching is off: operands are in cache, or streamed in order. */
#include "nn/gemm_backend.h"

#include <libxsmm.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

const bool ls_backend_is_for_small = true;

struct ls_backend_kernel {
  libxsmm_smmfunction_reducebatch_offs run; /* owned by libxsmm's registry, which lives as long as we */
};

static bool fits(const ls_gemm_shape *shape)
{
  const size_t limit = INT_MAX / sizeof(float); /* offsets within a matrix are 32-bit byte counts */
  return shape->m <= limit && shape->n <= limit && shape->k <= limit && shape->lda <= limit &&
         shape->ldb <= limit && shape->ldc <= limit;
}

static libxsmm_smmfunction_reducebatch_offs dispatch(const ls_gemm_shape *shape)
{
  const libxsmm_blasint lda = (libxsmm_blasint)shape->lda;
  const libxsmm_blasint ldb = (libxsmm_blasint)shape->ldb;
  const libxsmm_blasint ldc = (libxsmm_blasint)shape->ldc;
  const float alpha = 1;
  const float beta = shape->overwrite ? 0 : 1;
  const int flags = shape->transpose_b ? LIBXSMM_GEMM_FLAG_TRANS_B : LIBXSMM_GEMM_FLAG_NONE;
  const int prefetch = LIBXSMM_GEMM_PREFETCH_NONE;
  return libxsmm_smmdispatch_reducebatch_offs((libxsmm_blasint)shape->m, (libxsmm_blasint)shape->n,
                                              (libxsmm_blasint)shape->k, &lda, &ldb, &ldc, &alpha, &beta,
                                              &flags, &prefetch);
}

ls_status ls_backend_new(ls_backend_kernel **out, const ls_gemm_shape *shape)
{
  libxsmm_smmfunction_reducebatch_offs run = fits(shape) ? dispatch(shape) : NULL;
  if (!run)
    return ls_fail(
        LS_E_BUG, "libxsmm refuses the product %zux%zux%zu (leading dimensions %zu, %zu, %zu, processor %s)",
        shape->m, shape->n, shape->k, shape->lda, shape->ldb, shape->ldc, libxsmm_get_target_arch());
  ls_backend_kernel *kernel;
  LS_PASS(ls_alloc(&kernel, 1, sizeof *kernel, "a matrix product"));
  kernel->run = run;
  *out = kernel;
  return LS_OK;
}

void ls_backend_free(ls_backend_kernel *kernel)
{
  free(kernel);
}

_Static_assert(sizeof(unsigned long long) == sizeof(uint64_t), "libxsmm takes offsets of this size");

void ls_backend_run(const ls_backend_kernel *kernel, const float *a, const float *b, float *c,
                    const ls_gemm_batch *batch)
{
  const unsigned long long count = batch->count;
  kernel->run(a, b, c, &count, (const unsigned long long *)batch->a_bytes,
              (const unsigned long long *)batch->b_bytes);
}

const char *ls_gemm_backend(void)
{
  static _Thread_local char text[64];
  snprintf(text, sizeof text, "libxsmm %d.%d (%s)", LIBXSMM_VERSION_MAJOR, LIBXSMM_VERSION_MINOR,
           libxsmm_get_target_arch());
  return text;
}
