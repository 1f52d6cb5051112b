/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernels that are compiled for several processors, and the choice among them at run time: only this file
 * asks for the processor's instruction sets.
 *
 * A kernel set is a file and a row: set_built.c is compiled with the flags of the build, the others with
 * flags for more instructions. To add one, list it in LS_KERNEL_SETS (simd.h) and give its file its flags in
 * src/CMakeLists.txt. */
#ifndef LS_KERNELS_DISPATCH_H
#define LS_KERNELS_DISPATCH_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/depthwise.h"
#include "kernels/planar.h"
#include "kernels/quads.h"
#include "kernels/tile.h"
#include "kernels/transpose.h"
#include "kernels/winograd.h"

typedef struct ls_kernel_set {
  const char *name;
  uint64_t needs; /* sets of instructions: bits of LS_INSTRUCTION_SETS (simd.h) */
  size_t lanes;   /* floats of a vector */
  ls_tile_function *product;
  ls_transpose_function *transpose;
  ls_planar_forward_function *planar_forward;
  ls_planar_split_function *planar_split;
  ls_planar_weights_function *planar_weights;
  ls_winograd_input_function *winograd_input;
  ls_winograd_output_function *winograd_output;
  ls_winograd_spread_function *winograd_spread;
  ls_winograd_weights_function *winograd_weights;
  ls_winograd_gradient_function *winograd_gradient;
  ls_quads_forward_function *quads_forward;
  ls_quads_backward_function *quads_backward;
  ls_depthwise_forward_function *depthwise_forward;
  ls_depthwise_weights_function *depthwise_weights;
} ls_kernel_set;

/** Of the sets that this processor can run the one with the widest vectors; of several, the first. Borrowed.
 * Local. */
const ls_kernel_set *ls_kernel_set_choose(void);

/** The first of LS_INSTRUCTION_SETS that the build uses and this processor does not have, by x86's name;
 * NULL: it has them all. Compiled for any processor of the architecture. Local. */
const char *ls_kernel_set_missing(void);

#endif
