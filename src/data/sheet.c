/* SPDX-License-Identifier: BSD-3-Clause */
/* The contact sheet. Samples are read in the order of the file, whatever class they belong to, so a
 * compressed source is walked through once. */
#include "data/sheet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "draw/canvas.h"
#include "draw/font.h"
#include "data/readers/reader.h"

enum {
  RGB = 3,
  TEXT_SCALE = 2,
  MARGIN = 12,
  GAP = 4,          /* between samples */
  NAME_GAP = 12,    /* between names and samples */
  SAMPLE_SIDE = 72, /* samples are enlarged by a whole number to about this */
  TEXT_LINE = TEXT_SCALE * LS_GLYPH_HEIGHT,
  TITLE_HEIGHT = TEXT_LINE + 14,
  HEADING_HEIGHT = LS_GLYPH_HEIGHT + 6, /* of what stands above columns, in small letters */
  LINE_GAP = 6,                         /* between a name and the number of samples below it */
  LABEL_HEIGHT = 2 * TEXT_LINE + LINE_GAP,
  TITLE_CHARS = 160
};

static const uint8_t paper[RGB] = {250, 250, 247};
static const uint8_t ink[RGB] = {24, 24, 28};
static const uint8_t faint_ink[RGB] = {120, 120, 128};
static const uint8_t empty_cell[RGB] = {232, 232, 228};

typedef struct sheet_layout {
  size_t rows, columns;
  size_t scale;                   /* of the samples */
  size_t cell_width, cell_height; /* of a sample, enlarged */
  size_t row_height;
  size_t label_width;
  size_t first_gap;      /* between the first column and the others, beyond the usual */
  size_t heading_height; /* 0: columns have no headings */
} sheet_layout;

static void name_of(const ls_dataset_info *info, size_t class, char name[LS_CLASS_NAME_BYTES])
{
  if (info->class_names)
    snprintf(name, LS_CLASS_NAME_BYTES, "%s", info->class_names[class]);
  else
    snprintf(name, LS_CLASS_NAME_BYTES, "%zu", class);
}

/* Where augmented versions follow a sample, its column stands apart, and all say what they are. */
static sheet_layout plan(const ls_dataset_info *info, size_t count, bool is_augmented)
{
  const size_t side = ls_size_max(info->height, info->width);
  sheet_layout plan = {.rows = ls_size_min(info->classes, LS_SHEET_MAX_ROWS), .columns = count};
  plan.scale = ls_size_max((SAMPLE_SIDE + side / 2) / side, 1);
  plan.cell_width = info->width * plan.scale;
  plan.cell_height = info->height * plan.scale;
  plan.row_height = ls_size_max(plan.cell_height, LABEL_HEIGHT) + GAP;
  size_t longest = strlen("10000"); /* the number of samples */
  for (size_t k = 0; k < plan.rows; k++) {
    char name[LS_CLASS_NAME_BYTES];
    name_of(info, k, name);
    longest = ls_size_max(longest, strlen(name));
  }
  if (is_augmented) {
    plan.first_gap = NAME_GAP;
    plan.heading_height = HEADING_HEIGHT;
  }
  plan.label_width = longest * LS_GLYPH_ADVANCE * TEXT_SCALE;
  return plan;
}

static ls_point cell_at(const sheet_layout *plan, size_t row, size_t column)
{
  return (ls_point){MARGIN + plan->label_width + NAME_GAP + (column > 0 ? plan->first_gap : 0) +
                        column * (plan->cell_width + GAP),
                    MARGIN + TITLE_HEIGHT + plan->heading_height + row * plan->row_height};
}

/* Draw a sample, each of its pixels as a square. */
static void draw_sample(ls_picture *picture, const sheet_layout *plan, ls_point at,
                        const ls_dataset_info *info, const uint8_t *image)
{
  const size_t pixels = info->height * info->width;
  const size_t plane = info->channels == RGB ? pixels : 0; /* from one colour to the next */
  for (size_t i = 0; i < pixels; i++) {
    const uint8_t colour[RGB] = {image[i], image[plane + i], image[2 * plane + i]};
    const ls_point dot = {at.x + i % info->width * plan->scale, at.y + i / info->width * plan->scale};
    ls_canvas_fill(picture, dot, plan->scale, plan->scale, colour);
  }
}

static void draw_labels(ls_picture *picture, const sheet_layout *plan, const ls_dataset_info *info,
                        const size_t *per_class)
{
  for (size_t row = 0; row < plan->rows; row++) {
    char name[LS_CLASS_NAME_BYTES];
    char samples[32];
    ls_point at = {MARGIN, cell_at(plan, row, 0).y + (plan->row_height - GAP - LABEL_HEIGHT) / 2};
    name_of(info, row, name);
    ls_canvas_text(picture, at, name, TEXT_SCALE, ink);
    snprintf(samples, sizeof samples, "%zu", per_class[row]);
    at.y += TEXT_LINE + LINE_GAP;
    ls_canvas_text(picture, at, samples, TEXT_SCALE, faint_ink);
  }
}

static void draw_headings(ls_picture *picture, const sheet_layout *plan)
{
  for (size_t column = 0; column < plan->columns; column++) {
    char heading[32] = "original";
    if (column > 0) snprintf(heading, sizeof heading, "epoch %zu", column);
    ls_point at = cell_at(plan, 0, column);
    at.y -= plan->heading_height;
    ls_canvas_text(picture, at, heading, 1, faint_ink);
  }
}

/* Draw a sample's versions of the first epochs beside it. */
static void draw_versions(ls_picture *picture, const sheet_layout *plan, size_t row,
                          const ls_dataset_info *info, const ls_augment *augment, const ls_microbatch *sample)
{
  for (size_t column = 1; column < plan->columns; column++) {
    const ls_microbatch version = ls_augment_apply(augment, 0, sample, column - 1);
    draw_sample(picture, plan, cell_at(plan, row, column), info, version.images);
  }
}

/* Draw the first samples of each class; or the first one and its augmented versions. */
static ls_status draw_samples(ls_picture *picture, const sheet_layout *plan, ls_source *source,
                              ls_split split, const ls_augment *augment, size_t *per_class)
{
  const ls_dataset_info *info = ls_source_info(source);
  const uint16_t *labels = ls_source_labels(source, split);
  uint8_t *image;
  LS_PASS(ls_alloc(&image, ls_source_image_bytes(source), 1, "an image"));
  ls_status status = LS_OK;
  for (size_t i = 0; i < info->count[split]; i++) {
    const size_t column = per_class[labels[i]]++;
    if (labels[i] >= plan->rows || column >= (augment ? 1 : plan->columns)) continue;
    LS_GO(ls_source_read_images(source, split, i, 1, image));
    draw_sample(picture, plan, cell_at(plan, labels[i], column), info, image);
    const uint64_t index = i;
    const ls_microbatch sample = {.images = image, .samples = &index, .n = 1};
    if (augment) draw_versions(picture, plan, labels[i], info, augment, &sample);
  }
done:
  free(image);
  return status;
}

static void make_title(char title[TITLE_CHARS], const ls_dataset_info *info, ls_split split,
                       bool is_augmented)
{
  if (is_augmented)
    snprintf(title, TITLE_CHARS, "%s, %s: images as they are trained on", info->name, ls_split_words[split]);
  else
    snprintf(title, TITLE_CHARS, "%s, %s: %zu images of %zux%zux%zu", info->name, ls_split_words[split],
             info->count[split], info->channels, info->height, info->width);
}

static ls_status draw(ls_picture *picture, const sheet_layout *plan, ls_source *source, ls_split split,
                      const ls_augment *augment)
{
  const ls_dataset_info *info = ls_source_info(source);
  size_t *per_class;
  LS_PASS(ls_alloc(&per_class, info->classes, sizeof *per_class, "the counts per class"));
  for (size_t row = 0; row < plan->rows; row++)
    for (size_t column = 0; column < plan->columns; column++)
      ls_canvas_fill(picture, cell_at(plan, row, column), plan->cell_width, plan->cell_height, empty_cell);
  ls_status status = draw_samples(picture, plan, source, split, augment, per_class);
  if (status == LS_OK) draw_labels(picture, plan, info, per_class);
  if (augment) draw_headings(picture, plan);
  free(per_class);
  return status;
}

ls_status ls_sheet_draw(ls_picture *out, ls_source *source, ls_split split, size_t count,
                        const ls_augment *augment)
{
  const ls_dataset_info *info = ls_source_info(source);
  if (info->count[split] == 0)
    return ls_fail(LS_E_INPUT, "dataset '%s' has no %s split", info->name, ls_split_words[split]);
  const sheet_layout layout = plan(info, count, augment != NULL);
  const ls_point end = cell_at(&layout, layout.rows, layout.columns);
  char title[TITLE_CHARS];
  make_title(title, info, split, augment != NULL);
  const size_t title_end = MARGIN + strlen(title) * LS_GLYPH_ADVANCE * TEXT_SCALE;
  LS_PASS(ls_picture_init(out, ls_size_max(end.x - GAP, title_end) + MARGIN, end.y - GAP + MARGIN, paper));
  ls_canvas_text(out, (ls_point){MARGIN, MARGIN}, title, TEXT_SCALE, ink);
  ls_status status = draw(out, &layout, source, split, augment);
  if (status != LS_OK) ls_picture_fini(out);
  return status;
}
