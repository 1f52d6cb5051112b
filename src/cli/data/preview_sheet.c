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

/* Samples as they are drawn. */
typedef struct sample_pass {
  ls_sheet *sheet;
  const ls_sheet_options *options;
  ls_source *source;
  ls_split split;
  const ls_augment *augment;
  size_t *per_class; /* [rows] samples so far */
  uint8_t *image;
} sample_pass;

/* Draw sample i in the row of a class, if there is room. */
static ls_status draw_sample(const sample_pass *pass, size_t i, size_t class, bool *is_read)
{
  const size_t column = pass->per_class[class]++;
  const uint64_t index = i;
  const ls_microbatch sample = {.images = pass->image, .samples = &index, .n = 1};
  if (column >= (pass->augment ? 1 : pass->options->columns)) return LS_OK;
  if (!*is_read) LS_PASS(ls_source_read_images(pass->source, pass->split, i, 1, pass->image));
  *is_read = true;
  ls_sheet_image(pass->sheet, class, column, pass->image);
  if (pass->augment) draw_versions(pass->sheet, class, pass->options->columns, pass->augment, &sample);
  return LS_OK;
}

/* Draw the first samples of each class, which are counted; or the first one and its augmented versions. */
static ls_status draw_samples(sample_pass *pass)
{
  LS_PASS(ls_alloc(&pass->image, ls_source_image_bytes(pass->source), 1, "an image"));
  ls_status status = LS_OK;
  for (size_t i = 0; i < ls_source_info(pass->source)->count[pass->split]; i++) {
    bool is_read = false;
    for (size_t k = 0; k < pass->options->rows; k++)
      if (ls_source_has_label(pass->source, pass->split, i, k)) LS_GO(draw_sample(pass, i, k, &is_read));
  }
done:
  free(pass->image);
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
  sample_pass pass = {
      .sheet = sheet, .options = options, .source = source, .split = split, .augment = augment};
  LS_PASS(ls_alloc(&pass.per_class, options->rows, sizeof *pass.per_class, "the counts per class"));
  const ls_status status = draw_samples(&pass);
  for (size_t row = 0; status == LS_OK && row < options->rows; row++) {
    word samples;
    snprintf(samples, sizeof samples, "%zu", pass.per_class[row]);
    ls_sheet_note(sheet, row, samples);
  }
  free(pass.per_class);
  return status;
}

ls_status ls_preview_draw(ls_picture *out, ls_source *source, ls_split split, size_t count,
                          const ls_augment *augment)
{
  const ls_dataset_info *info = ls_source_info(source);
  if (info->count[split] == 0)
    return ls_fail(LS_E_INPUT, "dataset '%s' has no %s split", info->name, ls_split_words[split]);
  if (info->labels == LS_LABELS_VALUES)
    return ls_fail(LS_E_INPUT,
                   "the labels of '%s' are numbers: there are no classes whose samples could be shown; see "
                   "'lockstep data info'",
                   info->name);
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
