/* SPDX-License-Identifier: BSD-3-Clause */
/* Residual block: y = body(x) + shortcut(x), where an empty shortcut is the identity
 * (He, Zhang, Ren, Sun: "Deep residual learning for image recognition", CVPR 2016).
 */
#include <math.h>
#include <string.h>

#include "nn/kinds.h"
#include "nn/layers/merge.h"

typedef struct residual_options {
  ls_layer_list body, shortcut;
} residual_options;

static const ls_key keys[] = {
    {.path = "body",
     .type = LS_KEY_LAYERS,
     .offset = offsetof(residual_options, body),
     .min = 1,
     .max = INFINITY,
     .unit = "",
     .doc = "The layers of the block."},
    {.path = "shortcut",
     .type = LS_KEY_LAYERS,
     .offset = offsetof(residual_options, shortcut),
     .preset = "[]",
     .unit = "",
     .doc = "Layers on the way past the body, to fit its shape; none: the input itself."},
};

/* This word in their names separates layers of the body from those of the shortcut. */
static const char shortcut_word[] = "shortcut";

static ls_status check_names(ls_block *block, const ls_layer_list *layers)
{
  for (size_t i = 0; i < layers->count; i++) {
    const ls_layer_spec *spec = &layers->items[i];
    if (spec->name && strcmp(spec->name, shortcut_word) == 0)
      return ls_block_add_origin(
          block, spec,
          ls_fail(LS_E_CONFIG, "no layer in a residual block may be called '%s'", shortcut_word));
  }
  return LS_OK;
}

static ls_status expand(const void *options_of_kind, ls_block *block)
{
  const residual_options *options = options_of_kind;
  LS_PASS(check_names(block, &options->body));
  LS_PASS(check_names(block, &options->shortcut));
  LS_PASS(ls_block_add(block, "", &options->body));
  return ls_block_add(block, shortcut_word, &options->shortcut);
}

static ls_status create(ls_layer *layer, const void *options, ls_build *build)
{
  (void)options, (void)build;
  const ls_shape body = layer->inputs[0].shape, past = layer->inputs[1].shape;
  layer->out = body;
  if (ls_shape_equal(body, past)) return LS_OK;
  return ls_fail(
      LS_E_CONFIG,
      "the body gives %zux%zux%zu (channels, rows, columns), but the shortcut %zux%zux%zu: give the "
      "shortcut layers that make them equal, such as a conv of kernel 1",
      body.c, body.h, body.w, past.c, past.h, past.w);
}

const ls_layer_kind ls_layer_residual = {
    .schema = {.name = "residual",
               .doc = "Adds the output of its body to its input, or to that of its shortcut.",
               .keys = keys,
               .key_count = sizeof keys / sizeof *keys,
               .options_bytes = sizeof(residual_options)},
    .role = LS_ROLE_NEUTRAL,
    .in_place = true,
    .expand = expand,
    .create = create,
    .merge = ls_sum_merge,
    .split = ls_sum_split,
    .express = ls_sum_express,
};
