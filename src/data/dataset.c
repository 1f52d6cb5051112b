/* SPDX-License-Identifier: BSD-3-Clause */
/* How a dataset is read: by the configuration, and by what a command's options say before it. */
#include "data/dataset.h"

const char *const ls_split_words[] = {[LS_SPLIT_TRAIN] = "train", [LS_SPLIT_TEST] = "test", NULL};

ls_reading ls_reading_of_images(const ls_spec_data *data)
{
  const ls_counts *resize = &data->resize;
  ls_reading reading = {.channels = data->channels};
  if (resize->word >= 0) return reading;
  reading.height = resize->items[0];
  reading.width = resize->items[resize->count > 1];
  return reading;
}

ls_reading ls_reading_of(const ls_spec_data *data)
{
  ls_reading reading = ls_reading_of_images(data);
  reading.classes = data->classes;
  reading.transpose = data->transpose;
  reading.first_label = data->first_label;
  return reading;
}

ls_reading ls_reading_with(ls_reading base, const ls_reading *given)
{
  if (given->transpose != LS_TRANSPOSE_AUTO) base.transpose = given->transpose;
  if (given->first_label.word < 0) base.first_label = given->first_label;
  if (given->channels > 0) base.channels = given->channels;
  if (given->height == 0) return base;
  base.height = given->height;
  base.width = given->width;
  return base;
}
