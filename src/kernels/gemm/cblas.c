/* SPDX-License-Identifier: BSD-3-Clause */
/* Small matrix products by CBLAS, for processors and systems without libxsmm: a batch is a loop of calls.
 * Our threads each carry their own micro-batch, so the library must not start threads of its own. */
#include "kernels/gemm/backend.h"
#include "kernels/gemm/gemm.h"

#include <cblas.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

const bool ls_backend_is_for_small = false;

struct ls_backend_kernel {
  ls_gemm_shape shape;
};

static bool fits(const ls_gemm_shape *shape)
{
  return shape->m <= INT_MAX && shape->n <= INT_MAX && shape->k <= INT_MAX && shape->lda <= INT_MAX &&
         shape->ldb <= INT_MAX && shape->ldc <= INT_MAX;
}

/* Our threads call it at the same time: it must allow that, and must start no threads of its own. OpenBLAS
 * built without threads has no locks and gives wrong products. */
static ls_status prepare_library(void)
{
#ifdef OPENBLAS_VERSION
  if (openblas_get_parallel() == OPENBLAS_SEQUENTIAL)
    return ls_fail(LS_E_USAGE, "this OpenBLAS is built without threads and may not be called by several; "
                               "try: apt-get install libopenblas0-pthread");
  openblas_set_num_threads(1);
#endif
  return LS_OK;
}

ls_status ls_backend_new(ls_backend_kernel **out, const ls_gemm_shape *shape)
{
  *out = NULL;
  LS_PASS(prepare_library());
  if (!fits(shape)) return LS_OK;
  ls_backend_kernel *kernel;
  LS_PASS(ls_alloc(&kernel, 1, sizeof *kernel, "a matrix product"));
  kernel->shape = *shape;
  *out = kernel;
  return LS_OK;
}

void ls_backend_free(ls_backend_kernel *kernel)
{
  free(kernel);
}

void ls_backend_run(const ls_backend_kernel *kernel, const float *a, const float *b, float *c,
                    const ls_gemm_batch *batch)
{
  const ls_gemm_shape *shape = &kernel->shape;
  for (size_t t = 0; t < batch->count; t++)
    cblas_sgemm(CblasColMajor, CblasNoTrans, shape->transpose_b ? CblasTrans : CblasNoTrans,
                (blasint)shape->m, (blasint)shape->n, (blasint)shape->k, 1, a + batch->a_bytes[t] / sizeof *a,
                (blasint)shape->lda, b + batch->b_bytes[t] / sizeof *b, (blasint)shape->ldb,
                t == 0 && shape->overwrite ? 0 : 1, c, (blasint)shape->ldc);
}

const char *ls_gemm_fallback_reason(void)
{
  return NULL;
}

const char *ls_gemm_backend(void)
{
  static _Thread_local char text[192];
#ifdef OPENBLAS_VERSION
  snprintf(text, sizeof text, "cblas:%s, %s", OPENBLAS_VERSION, openblas_get_corename());
#else
  snprintf(text, sizeof text, "cblas");
#endif
  return text;
}
