/* SPDX-License-Identifier: BSD-3-Clause */
/* The drawing of `lockstep data preview`. Samples are read in the order of the file, whatever class they
 * belong to, so a compressed source is walked through once. */
#include "cli/data/preview_sheet.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/size.h"
#include "data/source.h"
#include "draw/sheet.h"

enum { TITLE_CHARS = 160, WORD_CHARS = 32 };

typedef char word[WORD_CHARS];

/* The texts of a sheet, which it borrows. */
typedef struct sheet_texts {
  const char *names[LS_PREVIEW_MAX_ROWS];
  word numbers[LS_PREVIEW_MAX_ROWS]; /* the names of classes that have none */
  const char **headings;             /* [columns] NULL: none; owned */
  word *heading_words;               /* [columns] owned */
} sheet_texts;

static void fini_texts(sheet_texts *self)
{
  free(self->headings);
  free(self->heading_words);
}

static void name_rows(sheet_texts *self, const ls_dataset_info *info, size_t rows)
{
  for (size_t k = 0; k < rows; k++) {
    snprintf(self->numbers[k], WORD_CHARS, "%zu", k);
    self->names[k] = info->class_names ? info->class_names[k] : self->numbers[k];
  }
}

static ls_status name_columns(sheet_texts *self, size_t columns)
{
  LS_PASS(ls_alloc(&self->headings, columns, sizeof *self->headings, "the headings"));
  LS_PASS(ls_alloc(&self->heading_words, columns, sizeof *self->heading_words, "the headings"));
  for (size_t i = 0; i < columns; i++) {
    if (i == 0)
      snprintf(self->heading_words[i], WORD_CHARS, "original");
    else
      snprintf(self->heading_words[i], WORD_CHARS, "epoch %zu", i);
    self->headings[i] = self->heading_words[i];
  }
  return LS_OK;
}

/* Draw a sample's versions of the first epochs beside it. */
static void draw_versions(ls_sheet *sheet, size_t row, size_t columns, const ls_augment *augment,
                          const ls_microbatch *sample)
{
  for (size_t column = 1; column < columns; column++)
    ls_sheet_image(sheet, row, column, ls_augment_apply(augment, 0, sample, column - 1).images);
}

/* Draw the first samples of each class, which are counted; or the first one and its augmented versions. */
static ls_status draw_samples(ls_sheet *sheet, const ls_sheet_options *options, ls_source *source,
                              ls_split split, const ls_augment *augment, size_t *per_class)
{
  const ls_dataset_info *info = ls_source_info(source);
  const uint16_t *labels = ls_source_labels(source, split);
  uint8_t *image;
  LS_PASS(ls_alloc(&image, ls_source_image_bytes(source), 1, "an image"));
  ls_status status = LS_OK;
  for (size_t i = 0; i < info->count[split]; i++) {
    const size_t column = per_class[labels[i]]++;
    if (labels[i] >= options->rows || column >= (augment ? 1 : options->columns)) continue;
    LS_GO(ls_source_read_images(source, split, i, 1, image));
    ls_sheet_image(sheet, labels[i], column, image);
    const uint64_t index = i;
    const ls_microbatch sample = {.images = image, .samples = &index, .n = 1};
    if (augment) draw_versions(sheet, labels[i], options->columns, augment, &sample);
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

/* Draw the samples, and their numbers below the names. */
static ls_status fill(ls_sheet *sheet, const ls_sheet_options *options, ls_source *source, ls_split split,
                      const ls_augment *augment)
{
  size_t *per_class;
  LS_PASS(ls_alloc(&per_class, ls_source_info(source)->classes, sizeof *per_class, "the counts per class"));
  const ls_status status = draw_samples(sheet, options, source, split, augment, per_class);
  for (size_t row = 0; status == LS_OK && row < options->rows; row++) {
    word samples;
    snprintf(samples, sizeof samples, "%zu", per_class[row]);
    ls_sheet_note(sheet, row, samples);
  }
  free(per_class);
  return status;
}

ls_status ls_preview_draw(ls_picture *out, ls_source *source, ls_split split, size_t count,
                          const ls_augment *augment)
{
  const ls_dataset_info *info = ls_source_info(source);
  if (info->count[split] == 0)
    return ls_fail(LS_E_INPUT, "dataset '%s' has no %s split", info->name, ls_split_words[split]);
  sheet_texts texts = {.headings = NULL};
  ls_sheet sheet = {.picture = {0}};
  char title[TITLE_CHARS];
  const size_t rows = ls_size_min(info->classes, LS_PREVIEW_MAX_ROWS);
  ls_status status;
  make_title(title, info, split, augment != NULL);
  name_rows(&texts, info, rows);
  if (augment) LS_GO(name_columns(&texts, count));
  const ls_sheet_options options = {.title = title,
                                    .rows = rows,
                                    .columns = count,
                                    .channels = info->channels,
                                    .height = info->height,
                                    .width = info->width,
                                    .names = texts.names,
                                    .headings = texts.headings,
                                    .longest_note = "10000"};
  LS_GO(ls_sheet_init(&sheet, &options));
  LS_GO(fill(&sheet, &options, source, split, augment));
done:
  fini_texts(&texts);
  if (status != LS_OK) ls_picture_fini(&sheet.picture);
  *out = sheet.picture;
  return status;
}
