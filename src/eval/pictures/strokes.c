/* SPDX-License-Identifier: BSD-3-Clause */
/* Each part is filled from its first pixel, with a queue. */
#include "eval/pictures/strokes.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/size.h"

typedef struct filling {
  const ls_ink *ink;
  float strong, weak;
  ls_strokes *out;
  uint32_t *queue; /* [height * width] pixels of the part */
} filling;

size_t ls_stroke_size(const ls_stroke *stroke)
{
  return ls_size_max(ls_stroke_width(stroke), ls_stroke_height(stroke));
}

static void add_pixel(ls_stroke *stroke, const ls_ink *ink, size_t x, size_t y)
{
  stroke->left = ls_size_min(stroke->left, x);
  stroke->top = ls_size_min(stroke->top, y);
  stroke->right = ls_size_max(stroke->right, x + 1);
  stroke->bottom = ls_size_max(stroke->bottom, y + 1);
  stroke->mass += (double)ink->smooth[y * ink->width + x];
  stroke->area++;
  stroke->contact += ls_is_border(y * ink->width + x, ink->width, ink->height);
}

/* Put a pixel into the queue, if it is a new one of the part. */
static void visit(filling *f, size_t pixel, uint32_t label, size_t *end)
{
  if (f->out->labels[pixel] != 0 || !(f->ink->smooth[pixel] > f->weak)) return;
  f->out->labels[pixel] = label;
  f->queue[(*end)++] = (uint32_t)pixel;
}

/* Fill the part of a pixel. Returns whether it is strong somewhere. */
static bool fill(filling *f, size_t start, ls_stroke *stroke)
{
  const size_t width = f->ink->width, height = f->ink->height;
  size_t end = 0;
  bool is_strong = false;
  visit(f, start, stroke->label, &end);
  for (size_t next = 0; next < end; next++) {
    const size_t x = f->queue[next] % width, y = f->queue[next] / width;
    add_pixel(stroke, f->ink, x, y);
    is_strong |= f->ink->smooth[y * width + x] > f->strong;
    for (size_t row = y > 0 ? y - 1 : 0; row <= ls_size_min(y + 1, height - 1); row++)
      for (size_t column = x > 0 ? x - 1 : 0; column <= ls_size_min(x + 1, width - 1); column++)
        visit(f, row * width + column, stroke->label, &end);
  }
  return is_strong;
}

/* Add it to the list, or replace the one of least ink. */
static void keep(ls_strokes *strokes, const ls_stroke *stroke)
{
  if (strokes->count < LS_MOST_STROKES) {
    strokes->list[strokes->count++] = *stroke;
    return;
  }
  ls_stroke *least = strokes->list;
  for (size_t i = 1; i < LS_MOST_STROKES; i++)
    if (strokes->list[i].mass < least->mass) least = &strokes->list[i];
  if (stroke->mass > least->mass) *least = *stroke;
}

ls_status ls_strokes_find(const ls_ink *ink, float strong, float weak, ls_strokes *out)
{
  const size_t count = ink->width * ink->height;
  *out = (ls_strokes){.width = ink->width, .height = ink->height};
  filling f = {.ink = ink, .strong = strong, .weak = weak, .out = out};
  ls_status status;
  LS_GO(ls_alloc(&out->labels, count, sizeof *out->labels, "the strokes"));
  LS_GO(ls_alloc(&f.queue, count, sizeof *f.queue, "the strokes"));
  uint32_t label = 0;
  for (size_t i = 0; i < count; i++) {
    if (out->labels[i] != 0 || !(ink->smooth[i] > weak)) continue;
    ls_stroke stroke = {.label = ++label, .left = ink->width, .top = ink->height};
    if (fill(&f, i, &stroke)) keep(out, &stroke);
  }
done:
  free(f.queue);
  if (status != LS_OK) ls_strokes_fini(out);
  return status;
}

void ls_strokes_fini(ls_strokes *strokes)
{
  free(strokes->labels);
  *strokes = (ls_strokes){.labels = NULL};
}
