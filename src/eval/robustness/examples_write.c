/* SPDX-License-Identifier: BSD-3-Clause */
/* Adversarial examples as a dataset like any other, with what 8 bits cannot hold beside it. */
#include <stdio.h>

#include "data/readers/h5set.h"
#include "data/readers/memory.h"
#include "eval/robustness/examples.h"

static double accuracy_of(const ls_examples *examples, const uint16_t *classes)
{
  size_t correct = 0;
  for (size_t i = 0; i < examples->count; i++) correct += classes[i] == examples->labels[i];
  return (double)correct / (double)examples->count;
}

ls_status ls_examples_write(const ls_examples *examples, const char *path, double epsilon,
                            const ls_dataset_info *data)
{
  const ls_h5set_extra arrays[] = {
      {"adversarial", LS_H5SET_FLOAT32, true, examples->images},
      {"original", LS_H5SET_UINT8, true, examples->originals},
      {"sample", LS_H5SET_UINT64, false, examples->samples},
      {"before", LS_H5SET_UINT16, false, examples->before},
      {"after", LS_H5SET_UINT16, false, examples->after},
      {"after_8bit", LS_H5SET_UINT16, false, examples->after_8bit},
      {"confidence", LS_H5SET_FLOAT32, false, examples->confidences},
  };
  const ls_h5set_number numbers[] = {{"epsilon", epsilon},
                                     {"accuracy", accuracy_of(examples, examples->after)},
                                     {"accuracy_8bit", accuracy_of(examples, examples->after_8bit)}};
  const ls_h5set_extras extras = {.arrays = arrays,
                                  .array_count = sizeof arrays / sizeof *arrays,
                                  .numbers = numbers,
                                  .number_count = sizeof numbers / sizeof *numbers};
  const ls_ticker silent = {.tick = NULL};
  ls_dataset_info named = *data;
  ls_source *source;
  snprintf(named.name, sizeof named.name, "%.44s-adversarial-8bit", data->name);
  LS_PASS(ls_memory_source(&source, &named, examples->pixels, examples->labels, examples->count));
  const ls_status status = ls_h5set_write_extra(path, source, &extras, &silent);
  ls_source_close(source);
  return status;
}
