/* SPDX-License-Identifier: BSD-3-Clause */
/* The model as a table for people. */
#include <inttypes.h>
#include <stdio.h>

#include "nn/model.h"

static void add_row(const ls_layer *layer, size_t depth, void *user)
{
  ls_text *text = user;
  ls_text options = {0};
  ls_text_add(&options, "%s", layer->kind->schema.name);
  if (layer->kind->describe) {
    ls_text_add(&options, " ");
    layer->kind->describe(layer, &options);
  }
  char shape[72];
  if (layer->out.h == 1 && layer->out.w == 1)
    snprintf(shape, sizeof shape, "%zu", layer->out.c);
  else
    snprintf(shape, sizeof shape, "%zux%zux%zu", layer->out.c, layer->out.h, layer->out.w);
  int indent = (int)(2 * depth);
  ls_text_add(text, "%*s%-*s  %-34s %12s %12zu %14" PRIu64 "\n", indent, "", 24 - indent, layer->name,
              ls_text_get(&options), shape, layer->param_count, layer->macs);
  ls_text_fini(&options);
}

void ls_model_summary(const ls_model *model, ls_text *text)
{
  const ls_model_counts *counts = ls_model_count(model);
  ls_shape in = ls_model_input(model);
  ls_text_add(text, "%-24s  %-34s %12s %12s %14s\n", "layer", "type", "output", "parameters",
              "multiply-adds");
  ls_text_add(text, "%-24s  %-34s %4zux%zux%zu\n", "input", "", in.c, in.h, in.w);
  ls_model_visit(model, add_row, text);
  ls_text_add(
      text, "total: %zu parameters, %" PRIu64 " multiply-adds a sample, %.1f MiB of memory per thread\n",
      counts->params, counts->macs,
      (double)(counts->workspace_bytes + (counts->grads + counts->buffers) * sizeof(float)) / 1048576.0);
}
