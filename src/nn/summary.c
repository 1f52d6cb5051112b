/* SPDX-License-Identifier: BSD-3-Clause */
/* The model as a table for people. The layers are visited twice: first for the widths of the columns, then
 * for the rows. */
#include <inttypes.h>
#include <stdio.h>

#include "base/show.h"
#include "base/size.h"
#include "nn/model.h"

enum { COUNT_BYTES = 32, SHAPE_BYTES = 72, GAP = 3 }; /* GAP: blanks between columns */

typedef enum column { NAME, TYPE, OUTPUT, PARAMETERS, MACS, COLUMNS } column;

typedef struct layer_table {
  ls_text *text;         /* NULL: the widths are being found */
  size_t width[COLUMNS]; /* columns of a terminal */
  bool failed;           /* memory failed for a cell */
} layer_table;

/* 1806336 as "1,806,336". */
static void format_count(uint64_t count, char text[COUNT_BYTES])
{
  char digits[COUNT_BYTES];
  const int length = snprintf(digits, sizeof digits, "%" PRIu64, count);
  size_t at = 0;
  for (int i = 0; i < length; i++) {
    if (i > 0 && (length - i) % 3 == 0) text[at++] = ',';
    text[at++] = digits[i];
  }
  text[at] = '\0';
}

static void format_shape(ls_shape shape, char text[SHAPE_BYTES])
{
  if (shape.h == 1 && shape.w == 1)
    snprintf(text, SHAPE_BYTES, "%zu", shape.c);
  else
    snprintf(text, SHAPE_BYTES, "%zux%zux%zu", shape.c, shape.h, shape.w);
}

/* Texts on the left, numbers on the right. */
static void add_row(layer_table *table, const char *const cells[COLUMNS])
{
  for (size_t i = 0; i < COLUMNS; i++) {
    const int width = (int)table->width[i];
    if (!table->text)
      table->width[i] = ls_size_max(table->width[i], ls_shown_columns(cells[i]));
    else if (i < PARAMETERS)
      ls_text_show(table->text, "%-*s%*s", width, cells[i], GAP, "");
    else
      ls_text_show(table->text, i + 1 < COLUMNS ? "%*s   " : "%*s\n", width, cells[i]);
  }
}

static void add_rule(layer_table *table)
{
  if (!table->text) return;
  size_t total = (COLUMNS - 1) * GAP;
  for (size_t i = 0; i < COLUMNS; i++) total += table->width[i];
  for (size_t i = 0; i < total; i++) ls_text_add(table->text, "-");
  ls_text_add(table->text, "\n");
}

static void add_layer(const ls_layer *layer, size_t depth, void *user)
{
  layer_table *table = user;
  ls_text name = {0}, type = {0};
  char shape[SHAPE_BYTES], params[COUNT_BYTES], macs[COUNT_BYTES];
  ls_text_show(&name, "%*s%s", (int)(2 * depth), "", layer->name);
  ls_text_add(&type, "%s", layer->kind->schema.name);
  if (layer->kind->describe) {
    ls_text_add(&type, " ");
    layer->kind->describe(layer, &type);
  }
  if (layer->frozen) ls_text_add(&type, " (frozen)");
  format_shape(layer->out, shape);
  const size_t all_params = layer->param_count + layer->inner_params;
  const uint64_t all_macs = layer->macs + layer->inner_macs;
  format_count(all_params, params);
  format_count(all_macs, macs);
  add_row(table, (const char *const[COLUMNS]){[NAME] = ls_text_get(&name),
                                              [TYPE] = ls_text_get(&type),
                                              [OUTPUT] = shape,
                                              [PARAMETERS] = all_params > 0 ? params : "",
                                              [MACS] = all_macs > 0 ? macs : ""});
  table->failed |= name.failed || type.failed;
  ls_text_fini(&name);
  ls_text_fini(&type);
}

static void add_rows(const ls_model *model, layer_table *table)
{
  const ls_model_counts *counts = ls_model_count(model);
  char shape[SHAPE_BYTES], params[COUNT_BYTES], macs[COUNT_BYTES];
  add_row(table, (const char *const[COLUMNS]){"layer", "type", "output", "parameters", "multiply-adds"});
  add_rule(table);
  format_shape(ls_model_input(model), shape);
  add_row(table, (const char *const[COLUMNS]){"input", "", shape, "", ""});
  ls_model_visit(model, add_layer, table);
  add_rule(table);
  format_count(counts->params, params);
  format_count(counts->macs, macs);
  add_row(table, (const char *const[COLUMNS]){"total", "", "", params, macs});
}

void ls_model_summary(const ls_model *model, ls_text *text)
{
  const ls_model_counts *counts = ls_model_count(model);
  const double mebibyte = 1048576.0;
  layer_table table = {.text = NULL};
  add_rows(model, &table);
  table.text = text;
  add_rows(model, &table);
  text->failed |= table.failed;
  ls_text_add(text,
              "Multiply-adds are of one sample's forward pass. Each thread works in %.1f MiB: %.1f MiB of "
              "activations, %.1f MiB of gradients.\n",
              ((double)counts->workspace_bytes + (double)(counts->grads + counts->buffers) * sizeof(float)) /
                  mebibyte,
              (double)counts->workspace_bytes / mebibyte,
              (double)(counts->grads + counts->buffers) * sizeof(float) / mebibyte);
}
