/* SPDX-License-Identifier: BSD-3-Clause */
/* Group normalization: each sample's channels fall into groups, each normalized over its channels and pixels
 * (Wu and He: "Group normalization", ECCV 2018). */
#include <limits.h>

#include "nn/kinds.h"
#include "nn/layers/sample_norm.h"

typedef struct groupnorm_options {
  size_t groups;
  double epsilon;
  bool affine;
} groupnorm_options;

static const ls_key keys[] = {
    {.path = "groups",
     .type = LS_KEY_COUNT,
     .offset = offsetof(groupnorm_options, groups),
     .min = 1,
     .max = INT_MAX,
     .unit = "",
     .doc = "Number of groups that the channels fall into, neighbours together; it divides theirs."},
    LS_SAMPLE_NORM_KEYS(groupnorm_options, "true"),
};

static ls_status create(ls_layer *layer, const void *options_of_kind, ls_build *build)
{
  const groupnorm_options *options = options_of_kind;
  if (layer->in.c % options->groups != 0)
    return ls_fail(LS_E_CONFIG, "its input has %zu channels, which do not fall into %zu groups of one size",
                   layer->in.c, options->groups);
  const ls_sample_norm norm = {.epsilon = options->epsilon,
                               .items = 1,
                               .pixels = layer->in.h * layer->in.w,
                               .groups = options->groups,
                               .affine_pixels = options->affine ? 1 : 0};
  return ls_sample_norm_create(layer, &norm, build);
}

/* Instances whose channels are the groups, since GroupNormalization is younger; then each channel's weight
 * and bias. */
static void express(const ls_layer *layer, const ls_expression *to)
{
  const ls_sample_norm *self = layer->impl;
  const ls_operand groups = {
      .source = LS_OPERAND_INTEGERS, .integers = {0, (int64_t)self->groups, -1}, .dim_count = 3};
  const ls_operand ones = {.source = LS_OPERAND_FILL, .dims = {self->groups}, .dim_count = 1, .fill = 1.0};
  const ls_operand zeros = {.source = LS_OPERAND_FILL, .dims = {self->groups}, .dim_count = 1};
  to->add(
      to->user,
      &(ls_operator){.name = "Reshape", .inputs = {ls_input(LS_FORM_IMAGE), groups}, .gives = LS_FORM_OTHER});
  to->add(to->user, &(ls_operator){.name = "InstanceNormalization",
                                   .inputs = {ls_result(), ones, zeros},
                                   .attributes = {ls_real("epsilon", self->epsilon)},
                                   .gives = LS_FORM_OTHER});
  to->add(to->user, &(ls_operator){.name = "Reshape",
                                   .inputs = {ls_result(), ls_operand_of_shape(layer->in)},
                                   .gives = LS_FORM_IMAGE});
  if (self->affine_pixels == 0) return;
  to->add(to->user, &(ls_operator){.name = "Mul",
                                   .inputs = {ls_result(), ls_operand_of_channels("weight", layer->in.c)}});
  to->add(to->user, &(ls_operator){.name = "Add",
                                   .inputs = {ls_result(), ls_operand_of_channels("bias", layer->in.c)}});
}

static void describe(const ls_layer *layer, ls_text *text)
{
  const ls_sample_norm *self = layer->impl;
  ls_text_add(text, "%zu groups, ", self->groups);
  ls_sample_norm_describe(layer, text);
}

const ls_layer_kind ls_layer_groupnorm = {
    .schema = {.name = "groupnorm",
               .doc = "Normalizes groups of channels over each sample, then scales and shifts each channel.",
               .keys = keys,
               .key_count = sizeof keys / sizeof *keys,
               .options_bytes = sizeof(groupnorm_options)},
    .role = LS_ROLE_NEUTRAL,
    .backward_reads_x = true,
    .create = create,
    .destroy = ls_sample_norm_destroy,
    .init = ls_sample_norm_init,
    .forward = ls_sample_norm_forward,
    .backward = ls_sample_norm_backward,
    .express = express,
    .describe = describe,
};
