/* SPDX-License-Identifier: BSD-3-Clause */
/* What is known of a dataset, and what its files do not say themselves. */
#ifndef LS_DATA_DATASET_H
#define LS_DATA_DATASET_H

#include <stdbool.h>
#include <stddef.h>

#include "config/spec.h"

typedef enum ls_split { LS_SPLIT_TRAIN, LS_SPLIT_TEST, LS_SPLIT_COUNT } ls_split;

extern const char *const ls_split_words[]; /* "train", "test", NULL */

enum { LS_CLASS_NAME_BYTES = 32, LS_MAX_CLASSES = 65535 };

typedef struct ls_dataset_info {
  char name[64];                  /* catalogue name, or name of the folder or file */
  const char *format;             /* "IDX", "CIFAR-10 binary", "HDF5"; static */
  size_t channels, height, width; /* of an image */
  ls_label_form labels;           /* what they are */
  size_t classes;                 /* labels are below it; where they are not classes: labels, or values, of a
                                     sample */
  size_t stated_classes;          /* as the files or the catalogue say; 0: neither does */
  size_t first_label;             /* the files' number of class 0: labels are below classes all the same */
  bool is_transposed;             /* the files hold images by columns: they are turned when read */
  ls_picture_kind picture;        /* as the file or the catalogue says; auto: neither does */
  size_t count[LS_SPLIT_COUNT];   /* samples; 0: no such split */
  char (*class_names)[LS_CLASS_NAME_BYTES]; /* [classes] or NULL: classes are called by their number; owned by
                                               the source */
} ls_dataset_info;

/** How files are read as far as they do not say it themselves, and what is made of their images; all zeros:
 * as they say, and as they are. */
typedef struct ls_reading {
  size_t classes;               /* 0: from the dataset (catalogue, attribute, or largest label + 1) */
  int transpose;                /* ls_transpose; IDX alone */
  ls_count_or_word first_label; /* the files' number of class 0, where they do not state their classes */
  size_t height, width;         /* that images are resized to; 0: as they are */
  size_t channels;              /* that the one channel of images is repeated in; 0: as they are */
} ls_reading;

/** What a configuration says of how a dataset is read. */
ls_reading ls_reading_of(const ls_spec_data *data);

/** Of it, what is made of the images of any dataset. */
ls_reading ls_reading_of_images(const ls_spec_data *data);

/** The same, but for what `given` says itself of transposition, first label, size and channels. */
ls_reading ls_reading_with(ls_reading base, const ls_reading *given);

#endif
