/* SPDX-License-Identifier: BSD-3-Clause */
/* The picture of some examples, two to a line: original, perturbation, adversarial image, classes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "base/text.h"
#include "draw/canvas.h"
#include "draw/font.h"
#include "eval/robustness/examples.h"

enum {
  TEXT_LINE = LS_TEXT_SCALE * (LS_GLYPH_HEIGHT + 4),
  MARGIN = 12,
  GAP = 4,
  COLUMN_GAP = 24,
  PANELS = 3,
  COLUMNS = 2,
  IMAGE_SIDE = 96,  /* images are enlarged by a whole number to about this */
  LABEL_CHARS = 16, /* at least: "before", a class, a confidence */
  NAME_CHARS = 24,  /* of a class, at most; longer names end in ".." */
  LINE_BYTES = 64
};

typedef struct drawing {
  ls_picture *picture;
  const ls_examples *examples;
  const ls_dataset_info *data;
  double epsilon;
  size_t scale, cell_width, cell_height; /* of an image, enlarged */
  uint8_t *panel;                        /* [c, h, w] of one image */
} drawing;

/* A pixel of the three panels, 0 .. 1. */
static double original(const drawing *self, size_t i)
{
  return (double)self->examples->originals[i] / 255.0;
}

static double adversarial(const drawing *self, size_t i)
{
  return (double)self->examples->images[i];
}

static double perturbation(const drawing *self, size_t i)
{
  if (self->epsilon == 0.0) return 0.5;
  return 0.5 + (adversarial(self, i) - original(self, i)) / (2.0 * self->epsilon);
}

static uint8_t shade(double value)
{
  return (uint8_t)(255.0 * (value < 0.0 ? 0.0 : value > 1.0 ? 1.0 : value) + 0.5);
}

static void draw_panel(const drawing *self, ls_point at, size_t example,
                       double (*pixel)(const drawing *self, size_t i))
{
  const ls_shape shape = self->examples->shape;
  const size_t count = ls_shape_count(shape);
  for (size_t i = 0; i < count; i++) self->panel[i] = shade(pixel(self, example * count + i));
  ls_canvas_image(self->picture, at, self->scale, (ls_pixels){shape.c, shape.h, shape.w, self->panel});
}

static size_t describe_class(const ls_dataset_info *data, const char *when, uint16_t class,
                             char line[LINE_BYTES])
{
  if (!data->class_names) return (size_t)snprintf(line, LINE_BYTES, "%s %u", when, (unsigned)class);
  const char *name = data->class_names[class];
  const bool is_long = strlen(name) > NAME_CHARS;
  return (size_t)snprintf(line, LINE_BYTES, "%s %.*s%s", when, is_long ? NAME_CHARS - 2 : NAME_CHARS, name,
                          is_long ? ".." : "");
}

static void write_class(const drawing *self, ls_point at, const char *when, uint16_t class,
                        const uint8_t *colour)
{
  char line[LINE_BYTES];
  describe_class(self->data, when, class, line);
  ls_canvas_text(self->picture, at, line, LS_TEXT_SCALE, colour);
}

/* Pixels that the longest line beside an example takes. */
static size_t label_width(const ls_dataset_info *data, const ls_examples *examples, const size_t *chosen,
                          size_t count)
{
  char line[LINE_BYTES];
  size_t longest = LABEL_CHARS;
  for (size_t i = 0; i < count; i++) {
    const uint16_t classes[] = {examples->labels[chosen[i]], examples->before[chosen[i]],
                                examples->after[chosen[i]]};
    for (size_t k = 0; k < sizeof classes / sizeof *classes; k++)
      longest = ls_size_max(longest, describe_class(data, "before", classes[k], line));
  }
  return ls_text_width(longest);
}

static void write_labels(const drawing *self, ls_point at, size_t example)
{
  const ls_examples *examples = self->examples;
  const uint16_t label = examples->labels[example], after = examples->after[example];
  char line[LINE_BYTES];
  write_class(self, at, "true  ", label, ls_faint_ink);
  at.y += TEXT_LINE;
  write_class(self, at, "before", examples->before[example], ls_ink);
  at.y += TEXT_LINE;
  write_class(self, at, "after ", after, after == label ? ls_ink : ls_alarm_ink);
  at.y += TEXT_LINE;
  ls_format(line, sizeof line, "at %.1f %%", 100.0 * (double)examples->confidences[example]);
  ls_canvas_text(self->picture, at, line, LS_TEXT_SCALE, ls_faint_ink);
}

static void draw_example(const drawing *self, ls_point at, size_t example)
{
  static double (*const panels[PANELS])(const drawing *self, size_t i) = {original, perturbation,
                                                                          adversarial};
  for (size_t p = 0; p < PANELS; p++) {
    draw_panel(self, at, example, panels[p]);
    at.x += self->cell_width + GAP;
  }
  at.x += GAP;
  write_labels(self, at, example);
}

/* The examples to draw: those that have changed their class, then others. */
static size_t choose(const ls_examples *examples, size_t chosen[LS_EXAMPLES_DRAWN])
{
  size_t count = 0;
  for (int wanted = 1; wanted >= 0; wanted--)
    for (size_t i = 0; i < examples->count && count < LS_EXAMPLES_DRAWN; i++)
      if ((examples->before[i] != examples->after[i]) == wanted) chosen[count++] = i;
  return count;
}

static ls_status draw(const drawing *self, const size_t *chosen, size_t count)
{
  const size_t width = PANELS * (self->cell_width + GAP) + GAP +
                       label_width(self->data, self->examples, chosen, count) + COLUMN_GAP;
  const size_t height = self->cell_height + GAP, rows = ls_size_ceil_div(count, COLUMNS);
  char title[LINE_BYTES];
  LS_PASS(ls_picture_init(self->picture, 2 * MARGIN + COLUMNS * width, 2 * MARGIN + TEXT_LINE + rows * height,
                          ls_paper));
  ls_format(title, sizeof title, "original, perturbation, adversarial: epsilon %g", self->epsilon);
  ls_canvas_text(self->picture, (ls_point){MARGIN, MARGIN}, title, LS_TEXT_SCALE, ls_ink);
  for (size_t i = 0; i < count; i++)
    draw_example(self, (ls_point){MARGIN + i % COLUMNS * width, MARGIN + TEXT_LINE + i / COLUMNS * height},
                 chosen[i]);
  return LS_OK;
}

ls_status ls_examples_draw(ls_picture *out, const ls_examples *examples, double epsilon,
                           const ls_dataset_info *data)
{
  const ls_shape shape = examples->shape;
  const size_t side = ls_size_max(shape.h, shape.w);
  const size_t scale = ls_size_max((IMAGE_SIDE + side / 2) / side, 1);
  drawing self = {.picture = out,
                  .examples = examples,
                  .data = data,
                  .epsilon = epsilon,
                  .scale = scale,
                  .cell_width = shape.w * scale,
                  .cell_height = ls_size_max(shape.h * scale, 4 * TEXT_LINE)};
  size_t chosen[LS_EXAMPLES_DRAWN];
  const size_t count = choose(examples, chosen);
  LS_PASS(ls_alloc(&self.panel, ls_shape_count(shape), 1, "an image"));
  const ls_status status = draw(&self, chosen, count);
  free(self.panel);
  return status;
}
