/* SPDX-License-Identifier: BSD-3-Clause */
/* The functions that a library of matrix products provides to gemm.c; xsmm.c or cblas.c is built in. */
#ifndef LS_KERNELS_GEMM_BACKEND_H
#define LS_KERNELS_GEMM_BACKEND_H

#include "base/status.h"
#include "kernels/tile.h"

/** A kernel of the library; opaque, immutable. */
typedef struct ls_backend_kernel ls_backend_kernel;

/** Is the library made for products as small as ours? Otherwise our own tiles are faster wherever they fit.
 */
extern const bool ls_backend_is_for_small;

/** Plan C += sum of A_t * B_t; columns of B do not overlap unless m is no multiple of LS_TILE_ROWS. *out is
 * NULL where the library has no kernel that can run. Local. Errors: LS_E_MEMORY, LS_E_USAGE. */
ls_status ls_backend_new(ls_backend_kernel **out, const ls_gemm_shape *shape) LS_CHECKED;
void ls_backend_free(ls_backend_kernel *kernel);

void ls_backend_run(const ls_backend_kernel *kernel, const float *a, const float *b, float *c,
                    const ls_gemm_batch *batch);

#endif
