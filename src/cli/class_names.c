/* SPDX-License-Identifier: BSD-3-Clause */
/* Class names as the array of texts that reports take. */
#include "cli/class_names.h"

#include "base/memory.h"

ls_status ls_class_names_of(const char ***out, const ls_dataset_info *data)
{
  *out = NULL;
  if (!data->class_names) return LS_OK;
  LS_PASS(ls_alloc(out, data->classes, sizeof **out, "the class names"));
  for (size_t k = 0; k < data->classes; k++) (*out)[k] = data->class_names[k];
  return LS_OK;
}
