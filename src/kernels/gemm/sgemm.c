/* SPDX-License-Identifier: BSD-3-Clause */
#include "kernels/gemm/sgemm.h"

#include <stdlib.h>

#include "base/memory.h"
#include "kernels/affine.h"

struct ls_sgemm {
  ls_affine affine;
  size_t n;
  float *a, *b, *c, *scratch;
};

static ls_status build(ls_sgemm *sgemm)
{
  const size_t n = sgemm->n;
  float *weights = NULL;
  sgemm->affine = (ls_affine){.in = n, .out = n, .taps = 1};
  LS_PASS(ls_affine_plan(&sgemm->affine, n));
  LS_PASS(ls_alloc(&sgemm->a, sgemm->affine.packed_count, sizeof(float), "a matrix"));
  LS_PASS(ls_alloc(&sgemm->scratch, sgemm->affine.scratch_count, sizeof(float), "a matrix"));
  LS_PASS(ls_alloc(&sgemm->b, n * n, sizeof(float), "a matrix"));
  LS_PASS(ls_alloc(&sgemm->c, n * n, sizeof(float), "a matrix"));
  LS_PASS(ls_alloc(&weights, n * n, sizeof(float), "a matrix"));
  for (size_t i = 0; i < n * n; i++) weights[i] = sgemm->b[i] = 1.0F / (float)(1 + i % n);
  ls_affine_pack(&sgemm->affine, weights, sgemm->a);
  free(weights);
  return LS_OK;
}

ls_status ls_sgemm_new(ls_sgemm **out, size_t n)
{
  ls_sgemm *sgemm;
  LS_PASS(ls_alloc(&sgemm, 1, sizeof *sgemm, "a matrix product"));
  sgemm->n = n;
  const ls_status status = build(sgemm);
  if (status != LS_OK) {
    ls_sgemm_free(sgemm);
    return status;
  }
  *out = sgemm;
  return LS_OK;
}

void ls_sgemm_free(ls_sgemm *sgemm)
{
  if (!sgemm) return;
  ls_affine_fini(&sgemm->affine);
  free(sgemm->a);
  free(sgemm->b);
  free(sgemm->c);
  free(sgemm->scratch);
  free(sgemm);
}

void ls_sgemm_run(ls_sgemm *sgemm)
{
  const ls_kernel_pass pass = {.packed = sgemm->a, .n = sgemm->n, .scratch = sgemm->scratch};
  ls_affine_forward(&sgemm->affine, &pass, sgemm->b, sgemm->c);
}
