/* SPDX-License-Identifier: BSD-3-Clause */
/* Small matrix products by CBLAS, for processors and systems without libxsmm: a batch is a loop of calls.
 * Our threads each carry their own micro-batch, so the library must not start threads of its own. */
#include "nn/gemm.h"

#include <cblas.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

struct ls_gemm {
  ls_gemm_shape shape;
};

static bool fits(const ls_gemm_shape *shape)
{
  return shape->m <= INT_MAX && shape->n <= INT_MAX && shape->k <= INT_MAX && shape->lda <= INT_MAX &&
         shape->ldb <= INT_MAX && shape->ldc <= INT_MAX;
}

ls_status ls_gemm_new(ls_gemm **out, const ls_gemm_shape *shape)
{
  if (!fits(shape))
    return ls_fail(LS_E_BUG, "CBLAS cannot take the product %zux%zux%zu", shape->m, shape->n, shape->k);
  ls_gemm *gemm;
  LS_PASS(ls_alloc(&gemm, 1, sizeof *gemm, "a matrix product"));
  gemm->shape = *shape;
#ifdef OPENBLAS_VERSION
  openblas_set_num_threads(1);
#endif
  *out = gemm;
  return LS_OK;
}

void ls_gemm_free(ls_gemm *gemm)
{
  free(gemm);
}

static void multiply(const ls_gemm_shape *shape, const float *a, const float *b, float *c, bool accumulate)
{
  cblas_sgemm(CblasColMajor, CblasNoTrans, shape->transpose_b ? CblasTrans : CblasNoTrans, (blasint)shape->m,
              (blasint)shape->n, (blasint)shape->k, 1, a, (blasint)shape->lda, b, (blasint)shape->ldb,
              accumulate ? 1 : 0, c, (blasint)shape->ldc);
}

void ls_gemm_run(const ls_gemm *gemm, const float *a, const float *b, float *c)
{
  multiply(&gemm->shape, a, b, c, gemm->shape.accumulate);
}

void ls_gemm_run_batch(const ls_gemm *gemm, const float *a, const float *b, float *c,
                       const ls_gemm_batch *batch)
{
  for (size_t t = 0; t < batch->count; t++)
    multiply(&gemm->shape, a + batch->a_bytes[t] / sizeof(float), b + batch->b_bytes[t] / sizeof(float), c,
             gemm->shape.accumulate || t > 0);
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
