/* SPDX-License-Identifier: BSD-3-Clause */
/* Instance normalization: each channel of each sample over its pixels; no running statistics (Ulyanov,
 * Vedaldi, Lempitsky: "Instance normalization", arXiv:1607.08022). */
#include "nn/kinds.h"
#include "nn/layers/sample_norm.h"

typedef struct instancenorm_options {
  double epsilon;
  bool affine;
} instancenorm_options;

static const ls_key keys[] = {LS_SAMPLE_NORM_KEYS(instancenorm_options, "false")};

static ls_status create(ls_layer *layer, const void *options_of_kind, ls_build *build)
{
  const instancenorm_options *options = options_of_kind;
  const ls_sample_norm norm = {.epsilon = options->epsilon,
                               .items = 1,
                               .pixels = layer->in.h * layer->in.w,
                               .groups = layer->in.c,
                               .affine_pixels = options->affine ? 1 : 0};
  return ls_sample_norm_create(layer, &norm, build);
}

static void express(const ls_layer *layer, const ls_expression *to)
{
  const ls_sample_norm *self = layer->impl;
  const ls_operand none = {.source = LS_OPERAND_FILL, .dims = {layer->in.c}, .dim_count = 1};
  ls_operator op = {.name = "InstanceNormalization",
                    .inputs = {ls_input(LS_FORM_IMAGE), ls_tensor_called("weight"), ls_tensor_called("bias")},
                    .attributes = {ls_real("epsilon", self->epsilon)}};
  if (self->affine_pixels == 0) {
    op.inputs[1] = op.inputs[2] = none;
    op.inputs[1].fill = 1.0;
  }
  to->add(to->user, &op);
}

const ls_layer_kind ls_layer_instancenorm = {
    .schema = {.name = "instancenorm",
               .doc = "Normalizes each channel of each sample over its pixels.",
               .keys = keys,
               .key_count = sizeof keys / sizeof *keys,
               .options_bytes = sizeof(instancenorm_options)},
    .role = LS_ROLE_NEUTRAL,
    .backward_reads_x = true,
    .create = create,
    .destroy = ls_sample_norm_destroy,
    .init = ls_sample_norm_init,
    .forward = ls_sample_norm_forward,
    .backward = ls_sample_norm_backward,
    .express = express,
    .describe = ls_sample_norm_describe,
};
