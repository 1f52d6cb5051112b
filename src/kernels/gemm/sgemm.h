/* SPDX-License-Identifier: BSD-3-Clause */
/* A square matrix product of our own kernels, to measure what a core can do at most. */
#ifndef LS_KERNELS_GEMM_SGEMM_H
#define LS_KERNELS_GEMM_SGEMM_H

#include <stddef.h>

#include "base/status.h"

typedef struct ls_sgemm ls_sgemm;

/** Three n x n matrices of a thread. Local. Errors: LS_E_MEMORY, LS_E_USAGE. */
ls_status ls_sgemm_new(ls_sgemm **out, size_t n) LS_CHECKED;
void ls_sgemm_free(ls_sgemm *sgemm);

/** C = A B, A packed before: 2 n^3 floating-point operations. */
void ls_sgemm_run(ls_sgemm *sgemm);

#endif
