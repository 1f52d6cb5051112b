/* SPDX-License-Identifier: BSD-3-Clause */
/* The keys of the data: which samples, how they are split, and what is made of them. */
#include <string.h>

#include "base/text.h"
#include "config/rows.h"

static const char *const normalize_words[] = {
    [LS_NORMALIZE_UNIT] = "unit", [LS_NORMALIZE_STANDARD] = "standard", [LS_NORMALIZE_NONE] = "none", NULL};
static const char *const shuffle_words[] = {
    [LS_SHUFFLE_GLOBAL] = "global", [LS_SHUFFLE_SHARD] = "shard", NULL};
static const char *const transpose_words[] = {
    [LS_TRANSPOSE_AUTO] = "auto", [LS_TRANSPOSE_TRUE] = "true", [LS_TRANSPOSE_FALSE] = "false", NULL};
const char *const ls_label_words[] = {
    [LS_LABELS_CLASS] = "class", [LS_LABELS_SEVERAL] = "several", [LS_LABELS_VALUES] = "values", NULL};
const char *const ls_label_nouns[] = {
    [LS_LABELS_CLASS] = "classes", [LS_LABELS_SEVERAL] = "labels", [LS_LABELS_VALUES] = "values"};
const char *const ls_picture_words[] = {[LS_PICTURE_AUTO] = "auto",
                                        [LS_PICTURE_PLAIN] = "plain",
                                        [LS_PICTURE_DIGIT] = "digit",
                                        [LS_PICTURE_LETTER] = "letter",
                                        [LS_PICTURE_GLYPH] = "glyph",
                                        [LS_PICTURE_PHOTO] = "photo",
                                        NULL};
static const char *const split_seed_words[] = {"seed", NULL};
static const char *const auto_words[] = {"auto", NULL};
static const char *const none_words[] = {"none", NULL};
static const char *const scale_words[] = {"1/255", NULL};

ls_status ls_picture_find(const char *word, ls_picture_kind *kind)
{
  ls_text all = {0};
  for (size_t k = 0; ls_picture_words[k]; k++) {
    if (strcmp(ls_picture_words[k], word) == 0) {
      *kind = (ls_picture_kind)k;
      ls_text_fini(&all);
      return LS_OK;
    }
    ls_text_add(&all, "%s%s", k > 0 ? ", " : "", ls_picture_words[k]);
  }
  const ls_status status =
      ls_fail(LS_E_INPUT, "'%s' is no kind of picture: expected one of: %s", word, ls_text_get(&all));
  ls_text_fini(&all);
  return status;
}

static const ls_key normalize_keys[] = {
    {.path = "scale",
     .type = LS_KEY_REAL_OR_WORD,
     .offset = offsetof(ls_normalize_values, scale),
     .preset = "1/255",
     .min = 1e-6,
     .max = 1e6,
     .words = scale_words,
     .doc = "Factor on the pixels, which are from 0 to 255; 1/255: black is 0 and white is 1. 0.00390625 is "
            "1/256."},
    {.path = "mean",
     .type = LS_KEY_REALS,
     .offset = offsetof(ls_normalize_values, mean),
     .preset = "[]",
     .min = -1e6,
     .max = 1e6,
     .doc = "What is then subtracted from each channel, or from all if it is one number; []: 0."},
    {.path = "deviation",
     .type = LS_KEY_REALS,
     .offset = offsetof(ls_normalize_values, deviation),
     .preset = "[]",
     .min = 1e-6,
     .max = 1e6,
     .doc = "What it is divided by; []: 1."},
};

static const char *check_values(const void *options)
{
  const ls_normalize_values *values = options;
  const size_t means = values->mean.count, deviations = values->deviation.count;
  if (means <= 1 || deviations <= 1 || means == deviations) return NULL;
  return "as many deviations as means are needed: one of each for a channel";
}

const ls_schema ls_normalize_schema = {.name = "data.normalize",
                                       .doc = "Given values.",
                                       .keys = normalize_keys,
                                       .key_count = sizeof normalize_keys / sizeof normalize_keys[0],
                                       .options_bytes = sizeof(ls_normalize_values),
                                       .check = check_values};

static const ls_key data_keys[] = {
    {.path = "data.source",
     .type = LS_KEY_TEXT,
     .offset = offsetof(ls_spec, data.source),
     .doc = "Name in the catalogue (mnist), folder of a dataset's files, or .h5 dataset; of several "
            "datasets in a folder, folder/BEGINNING of its files' names."},
    {.path = "data.validation",
     .type = LS_KEY_AMOUNT,
     .offset = offsetof(ls_spec, data.validation),
     .preset = "0",
     .unit = "samples",
     .doc = "Held out of the training split for validation, in proportion to the classes; 0 for none."},
    {.path = "data.split_seed",
     .type = LS_KEY_COUNT_OR_WORD,
     .offset = offsetof(ls_spec, data.split_seed),
     .preset = "seed",
     .words = split_seed_words,
     .doc = "Chooses what is held out; seed: the run's. The members of an ensemble hold out the same."},
    {.path = "data.normalize",
     .type = LS_KEY_WORD_OR_KEYS,
     .offset = offsetof(ls_spec, data.normalize),
     .preset = "standard",
     .words = normalize_words,
     .schema = &ls_normalize_schema,
     .doc = "Pixels to [0, 1] (unit), to mean 0 and deviation 1 of the training split (standard), as they "
            "are (none), or as weights from elsewhere were trained: {mean: [0.1307], deviation: [0.3081]}, "
            "where black is 0 and white is 1, or {scale: 0.00390625}."},
    {.path = "data.mean",
     .type = LS_KEY_REALS,
     .offset = offsetof(ls_spec, data.mean),
     .preset = "[]",
     .max = 1,
     .is_replaced = true,
     .doc = "With data.std, the older form of data.normalize: {mean: ..., deviation: ...}."},
    {.path = "data.std",
     .type = LS_KEY_REALS,
     .offset = offsetof(ls_spec, data.std),
     .preset = "[]",
     .min = 1e-5,
     .max = 1,
     .is_replaced = true,
     .doc = "With data.mean."},
    {.path = "data.shuffle",
     .type = LS_KEY_WORD,
     .offset = offsetof(ls_spec, data.shuffle),
     .preset = "global",
     .words = shuffle_words,
     .doc = "New order each epoch over the whole training split (global), or within each rank's shard."},
    {.path = "data.per_class",
     .type = LS_KEY_COUNT,
     .offset = offsetof(ls_spec, data.per_class),
     .preset = "0",
     .unit = "samples",
     .doc = "Train on so many samples of each class, chosen by the seed; 0 for all. Validation is not cut."},
    {.path = "data.fraction",
     .type = LS_KEY_REAL,
     .offset = offsetof(ls_spec, data.fraction),
     .preset = "1",
     .min_open = true,
     .max = 1,
     .doc = "Train on this fraction of each class, chosen by the seed: what bagging gives each member."},
    {.path = "data.shape",
     .type = LS_KEY_COUNTS,
     .offset = offsetof(ls_spec, data.shape),
     .preset = "auto",
     .words = auto_words,
     .min = 1,
     .max = 65536,
     .counts_max = 3,
     .counts_form = "[channels, height, width]",
     .doc = "What the network's images are; auto: those of the dataset. With it, weights of another program, "
            "and measurements of speed, do without a dataset."},
    {.path = "data.resize",
     .type = LS_KEY_COUNTS,
     .offset = offsetof(ls_spec, data.resize),
     .preset = "none",
     .words = none_words,
     .min = 1,
     .max = 65536,
     .unit = "pixels",
     .doc = "Images are scaled to this when they are loaded, as Pillow's BILINEAR does it; none: they stay "
            "as they are."},
    {.path = "data.channels",
     .type = LS_KEY_COUNT,
     .offset = offsetof(ls_spec, data.channels),
     .preset = "0",
     .doc = "Grey images are repeated in so many channels, such as the 3 of a network for colours; 0: as "
            "many as the dataset has."},
    {.path = "data.classes",
     .type = LS_KEY_COUNT,
     .offset = offsetof(ls_spec, data.classes),
     .preset = "0",
     .doc = "Number of classes; 0 takes it from the dataset."},
    {.path = "data.class_names",
     .type = LS_KEY_TEXT,
     .offset = offsetof(ls_spec, data.class_names),
     .preset = "none",
     .doc = "Text file with the name of a class in each line (of a dataset: up to 31 bytes), in the order of "
            "the classes; none: as the "
            "dataset says."},
    {.path = "data.transpose",
     .type = LS_KEY_WORD,
     .offset = offsetof(ls_spec, data.transpose),
     .preset = "auto",
     .words = transpose_words,
     .doc =
         "Whether IDX files hold each image by columns; auto: as EMNIST does, where the names are EMNIST's."},
    {.path = "data.first_label",
     .type = LS_KEY_COUNT_OR_WORD,
     .offset = offsetof(ls_spec, data.first_label),
     .preset = "auto",
     .words = auto_words,
     .max = 65535,
     .doc = "The files' number of the first class; auto: 1 where the names are those of EMNIST's letters, "
            "else 0, if there is a 0 among the labels."},
    {.path = "data.picture",
     .type = LS_KEY_WORD,
     .offset = offsetof(ls_spec, data.picture),
     .preset = "auto",
     .words = ls_picture_words,
     .doc = "What `lockstep predict` turns pictures into: as they are, scaled (plain), the middle 7/8, by "
            "Pillow's bicubic filter, as ImageNet's are (photo), or the ink on paper, laid as in MNIST "
            "(digit), EMNIST (letter), or over the whole image, as in KMNIST and USPS (glyph); auto: as the "
            "dataset says, else the catalogue, else plain."},
    {.path = "data.augment",
     .type = LS_KEY_EVERY_KIND,
     .offset = offsetof(ls_spec, data.augment.kinds),
     .family = LS_FAMILY_AUGMENTATION},
    {.path = "data.augment.mixup",
     .type = LS_KEY_REAL,
     .offset = offsetof(ls_spec, data.augment.mixup),
     .preset = "0",
     .max = 1,
     .doc =
         "Each image becomes a mixture with another of its micro-batch, and so does its label; the share is "
         "Beta(mixup, mixup) distributed."},
};

const ls_key_table ls_data_key_table = {data_keys, sizeof data_keys / sizeof data_keys[0]};
