/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of readers: one file per format. A new format is a file with a row, and one word in the list
 * of data/kinds.h. Private to the module; others go through source.h. */
#ifndef LS_DATA_READERS_READER_H
#define LS_DATA_READERS_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"
#include "data/catalogue.h"
#include "data/dataset.h"
#include "data/kinds.h"
#include "data/readers/folder.h"
#include "data/readers/resize.h"

typedef struct ls_source ls_source;

/** A file or folder that a dataset may be read from. */
typedef struct ls_reader_input {
  const char *path;
  const ls_folder *folder;         /* NULL: the path is a file */
  const ls_reading *reading;       /* what is known of the files beforehand */
  const ls_catalogue_entry *entry; /* the dataset that was asked for by name; NULL: asked for by path */
  bool checks_files; /* go through gzip images, and through files that lie there twice; false: rank 0 does it
                      */
} ls_reader_input;

typedef struct ls_reader {
  const char *format; /* for people: "IDX" */
  const char *part; /* in the names of a dataset's files, which fill a folder; NULL: a dataset is one file */
  bool follows_layout; /* data.transpose holds, and what the catalogue says of columns and first labels */
  /* Does the input look like this format, be it intact or not? *is_mine says so. Errors: LS_E_IO,
   * LS_E_MEMORY.
   */
  ls_status (*recognize)(const ls_reader_input *input, bool *is_mine) LS_CHECKED;
  /* Check everything but the values of the labels (and what input->checks_files leaves out), and fill source:
   * state, labels, and of info the shape, the counts, and classes and class_names as far as the files have
   * them (0 and NULL otherwise; a name that stands already may be replaced). Labels are as the files number
   * them. Without input->checks_files, lacks_labels may be set instead of count and labels. On error the
   * caller closes what there is.
   */
  ls_status (*open)(ls_source *source, const ls_reader_input *input) LS_CHECKED;
  /* Do the samples of a split lie behind each other in gzip data, so that one can be read only after all that
   * come before it? NULL: none of this format do. */
  bool (*is_sequential)(const ls_source *source, ls_split split);
  /* As ls_source_read_images(); the range was checked. */
  ls_status (*read_images)(ls_source *source, ls_split split, size_t first, size_t count,
                           uint8_t *images) LS_CHECKED;
  /* Append where the label of a sample stands, for messages: "'file', record 7". */
  void (*locate)(const ls_source *source, ls_split split, size_t sample, ls_text *text);
  /* Free the state, however far it was made; NULL is fine. */
  void (*close)(void *state);
} ls_reader;

#define LS_READER_DECLARE(name) extern const ls_reader ls_reader_##name;
LS_READER_LIST(LS_READER_DECLARE)
#undef LS_READER_DECLARE

/** The one reader that recognizes an input. Local. Errors: LS_E_INPUT where none does, or several do;
 * LS_E_IO, LS_E_MEMORY. */
ls_status ls_reader_find(const ls_reader **out, const ls_reader_input *input) LS_CHECKED;

/** Append the formats of some readers: "IDX or CIFAR-10 binary". */
void ls_reader_add_formats(bool (*is_one)(const ls_reader *reader), const char *joint, ls_text *text);

/** An open dataset. */
struct ls_source {
  const ls_reader *reader;
  void *state; /* the reader's own */
  ls_dataset_info info;
  const ls_catalogue_entry *entry;   /* asked for by name, or what the files say they are of; may be NULL */
  ls_text notes;                     /* lines: ls_source_notes() */
  uint16_t *labels[LS_SPLIT_COUNT];  /* [count]; owned */
  float *values[LS_SPLIT_COUNT];     /* [count, classes]; NULL where labels are classes; owned */
  bool lacks_labels[LS_SPLIT_COUNT]; /* they lie between gzip images, which rank 0 goes through: no count yet
                                      */
  ls_source *original;               /* whose images are resized; owned; NULL: they are the files' own */
  ls_resizer *resizer;               /* owned; NULL: they are the files' own */
};

/** Put a source in the place of another one, which it owns then, whose images are of the wanted size and
 * number of channels; nothing happens where they are already. The labels are known and checked. Local.
 * Errors: LS_E_INPUT where there are other than 1 channel to be repeated, or too many are wanted;
 * LS_E_MEMORY. */
ls_status ls_source_resize(ls_source **source, const ls_reading *reading) LS_CHECKED;

#endif
