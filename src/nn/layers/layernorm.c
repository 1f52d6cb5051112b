/* SPDX-License-Identifier: BSD-3-Clause */
/* Layer normalization (Ba, Kiros, Hinton, arXiv:1607.06450). There are two readings for images: over all
 * values of a sample, each with a weight of its own, or over the channels of each pixel, with a weight per
 * channel (Liu et al.: "A ConvNet for the 2020s", CVPR 2022). For vectors both are the same. */
#include "nn/kinds.h"
#include "nn/layers/sample_norm.h"

typedef enum axes { AXES_SAMPLE, AXES_CHANNELS } axes;

static const char *const axes_words[] = {[AXES_SAMPLE] = "sample", [AXES_CHANNELS] = "channels", NULL};

typedef struct layernorm_options {
  int axes;
  double epsilon;
  bool affine;
} layernorm_options;

static const ls_key keys[] = {
    {.path = "axes",
     .type = LS_KEY_WORD,
     .offset = offsetof(layernorm_options, axes),
     .preset = "sample",
     .words = axes_words,
     .unit = "",
     .doc = "sample: over all values, PyTorch's LayerNorm([c, h, w]); channels: over those of each pixel."},
    LS_SAMPLE_NORM_KEYS(layernorm_options, "true"),
};

static ls_status create(ls_layer *layer, const void *options_of_kind, ls_build *build)
{
  const layernorm_options *options = options_of_kind;
  const size_t pixels = layer->in.h * layer->in.w;
  const bool by_pixel = options->axes == AXES_CHANNELS;
  const ls_sample_norm norm = {.epsilon = options->epsilon,
                               .items = by_pixel ? pixels : 1,
                               .pixels = by_pixel ? 1 : pixels,
                               .groups = 1,
                               .affine_pixels = options->affine ? (by_pixel ? 1 : pixels) : 0};
  return ls_sample_norm_create(layer, &norm, build);
}

/* [rows, columns] to [columns, rows]. */
static void transpose(const float *from, size_t rows, size_t columns, float *to)
{
  for (size_t row = 0; row < rows; row++)
    for (size_t column = 0; column < columns; column++)
      to[column * rows + row] = from[row * columns + column];
}

/* Weights and biases of every value are [c, h, w] for users and [h, w, c] for the loops. */
static void pack(const ls_layer *layer, const float *params, float *packed, size_t piece)
{
  (void)piece;
  const size_t channels = layer->in.c, pixels = layer->in.h * layer->in.w;
  for (size_t first = 0; first < layer->packed_count; first += channels * pixels)
    transpose(params + layer->param_offset + first, channels, pixels, packed + layer->packed_offset + first);
}

static void unpack(const ls_layer *layer, const float *grads, float *param_grads, size_t piece)
{
  (void)piece;
  const size_t channels = layer->in.c, pixels = layer->packed_count > 0 ? layer->in.h * layer->in.w : 1;
  for (size_t first = 0; first < layer->param_count; first += channels * pixels)
    transpose(grads + layer->grad_offset + first, pixels, channels,
              param_grads + layer->param_offset + first);
}

/* Over the last dimensions: for channels alone they are brought to the end. */
static void express(const ls_layer *layer, const ls_expression *to)
{
  const ls_sample_norm *self = layer->impl;
  const ls_shape in = layer->in;
  const bool is_vector = in.h * in.w == 1, by_channels = self->items > 1;
  const size_t dim_count = is_vector || by_channels ? 1 : 3;
  ls_operator op = {
      .name = "LayerNormalization",
      .inputs =
          {ls_input(is_vector ? LS_FORM_VECTOR : LS_FORM_IMAGE),
           {.source = LS_OPERAND_FILL, .dims = {in.c, in.h, in.w}, .dim_count = dim_count, .fill = 1.0}},
      .attributes = {ls_integer("axis", by_channels ? 3 : 1), ls_real("epsilon", self->epsilon)}};
  if (self->affine_pixels > 0) {
    op.inputs[1] = ls_tensor_called("weight");
    op.inputs[2] = ls_tensor_called("bias");
  }
  if (!by_channels) {
    to->add(to->user, &op);
    return;
  }
  to->add(to->user, &(ls_operator){.name = "Transpose",
                                   .inputs = {ls_input(LS_FORM_IMAGE)},
                                   .attributes = {ls_four("perm", 0, 2, 3, 1)},
                                   .gives = LS_FORM_OTHER});
  op.inputs[0] = ls_result();
  op.gives = LS_FORM_OTHER;
  to->add(to->user, &op);
  to->add(to->user, &(ls_operator){.name = "Transpose",
                                   .inputs = {ls_result()},
                                   .attributes = {ls_four("perm", 0, 3, 1, 2)},
                                   .gives = LS_FORM_IMAGE});
}

static void describe(const ls_layer *layer, ls_text *text)
{
  const ls_sample_norm *self = layer->impl;
  if (layer->in.h * layer->in.w > 1)
    ls_text_add(text, "over %s, ", self->items > 1 ? "each pixel's channels" : "each sample");
  ls_sample_norm_describe(layer, text);
}

const ls_layer_kind ls_layer_layernorm = {
    .schema = {.name = "layernorm",
               .doc = "Normalizes each sample, or each pixel's channels, then scales and shifts each value.",
               .keys = keys,
               .key_count = sizeof keys / sizeof *keys,
               .options_bytes = sizeof(layernorm_options)},
    .role = LS_ROLE_NEUTRAL,
    .backward_reads_x = true,
    .create = create,
    .destroy = ls_sample_norm_destroy,
    .init = ls_sample_norm_init,
    .pack = pack,
    .unpack = unpack,
    .forward = ls_sample_norm_forward,
    .backward = ls_sample_norm_backward,
    .express = express,
    .describe = describe,
};
