/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of ways, the special ones first. */
#include "nn/conv/way.h"

static const ls_conv_way *const ways[] = {&ls_conv_depthwise, &ls_conv_grouped,  &ls_conv_affine,
                                          &ls_conv_planar,    &ls_conv_winograd, &ls_conv_direct};

const ls_conv_way *ls_conv_way_choose(const ls_conv_shape *shape)
{
  size_t i = 0;
  while (!ways[i]->fits(shape)) i++;
  return ways[i];
}
