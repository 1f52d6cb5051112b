/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernels for the processor that the program is built for. */
#define KERNEL_SET built
#include "kernels/set_kernels.h"
