/* SPDX-License-Identifier: BSD-3-Clause */
/* How a dataset is read: by the configuration, and by what a command's options say before it. */
#include "data/dataset.h"

const char *const ls_split_words[] = {[LS_SPLIT_TRAIN] = "train", [LS_SPLIT_TEST] = "test", NULL};

ls_reading ls_reading_of(const ls_spec_data *data)
{
  return (ls_reading){
      .classes = data->classes, .transpose = data->transpose, .first_label = data->first_label};
}

ls_reading ls_reading_with(ls_reading base, const ls_reading *given)
{
  if (given->transpose != LS_TRANSPOSE_AUTO) base.transpose = given->transpose;
  if (given->first_label.word < 0) base.first_label = given->first_label;
  return base;
}
