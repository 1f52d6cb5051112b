/* SPDX-License-Identifier: BSD-3-Clause */
/* Class names as the array of texts that reports take, and the class that a user names. */
#include "cli/class_names.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"

ls_status ls_class_names_of(const char ***out, const ls_dataset_info *data)
{
  *out = NULL;
  if (!data->class_names) return LS_OK;
  LS_PASS(ls_alloc(out, data->classes, sizeof **out, "the class names"));
  for (size_t k = 0; k < data->classes; k++) (*out)[k] = data->class_names[k];
  return LS_OK;
}

static ls_status refuse_unknown(const ls_dataset_info *data, const char *option, const char *given)
{
  if (!data->class_names)
    return ls_fail(LS_E_USAGE, "%s %s: there are classes 0 to %zu", option, given, data->classes - 1);
  return ls_fail(LS_E_USAGE,
                 "%s %s: there are classes 0 to %zu, called '%s' to '%s'; see `lockstep data info`", option,
                 given, data->classes - 1, data->class_names[0], data->class_names[data->classes - 1]);
}

/* Two classes could be meant, the second by its name. */
static ls_status refuse_both(const ls_dataset_info *data, const char *option, const char *given, size_t first,
                             size_t second)
{
  return ls_fail(LS_E_USAGE, "%s %s: class %zu, '%s', or class %zu, '%s'? Give '#%zu' or '#%zu'", option,
                 given, first, data->class_names[first], second, data->class_names[second], first, second);
}

ls_status ls_class_find(size_t *out, const ls_dataset_info *data, const char *option, const char *given)
{
  const bool is_marked = given[0] == '#';
  uint64_t number = 0;
  const bool is_number = ls_parse_count(given + is_marked, &number) && number < data->classes;
  size_t found = is_number ? (size_t)number : data->classes;
  for (size_t k = 0; data->class_names && !(is_marked && is_number) && k < data->classes; k++) {
    if (k == found || strcmp(data->class_names[k], given) != 0) continue;
    if (found < data->classes) return refuse_both(data, option, given, found, k);
    found = k;
  }
  if (found == data->classes) return refuse_unknown(data, option, given);
  *out = found;
  return LS_OK;
}
