/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernels for AVX2, for a build for any x86-64 processor. */
#define KERNEL_SET avx2
#include "kernels/set_kernels.h"
