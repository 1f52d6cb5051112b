/* SPDX-License-Identifier: BSD-3-Clause */
/* A kernel set, a text to be compiled once for each: the file that includes it defines KERNEL_SET, the set's
 * name. */
#include "kernels/dispatch.h"
#include "kernels/simd.h"

#include "kernels/tile_kernels.h"
#include "kernels/transpose_kernels.h"
#include "kernels/planar_kernels.h"
#include "kernels/winograd_kernels.h"
#include "kernels/quads_kernels.h"
#include "kernels/depthwise_kernels.h"

#define TEXT_OF(x) #x
#define NAME_OF(set) TEXT_OF(set)
#define JOIN(a, b) a##b
#define ROW_OF(set) JOIN(ls_kernels_, set)

extern const ls_kernel_set ROW_OF(KERNEL_SET);
const ls_kernel_set ROW_OF(KERNEL_SET) = {.name = NAME_OF(KERNEL_SET),
                                          .needs = LS_INSTRUCTIONS_USED,
                                          .lanes = LANES,
                                          .product = run_product,
                                          .transpose = transpose,
                                          .planar_forward = planar_forward,
                                          .planar_split = planar_split,
                                          .planar_weights = planar_weights,
                                          .winograd_input = winograd_input,
                                          .winograd_output = winograd_output,
                                          .winograd_spread = winograd_spread,
                                          .winograd_weights = winograd_weights,
                                          .winograd_gradient = winograd_gradient,
                                          .quads_forward = quads_forward,
                                          .quads_backward = quads_backward,
                                          .depthwise_forward = depthwise_forward,
                                          .depthwise_weights = depthwise_weights};
