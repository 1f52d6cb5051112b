/* SPDX-License-Identifier: BSD-3-Clause */
/* Which format a file's name means. */
#include "store/export/export.h"

#include <string.h>
#include <strings.h>

static const ls_export_format *const formats[] = {
#define LS_EXPORT_ROW(name) &ls_export_format_##name,
    LS_EXPORT_FORMATS(LS_EXPORT_ROW)
#undef LS_EXPORT_ROW
};

enum { FORMAT_COUNT = sizeof formats / sizeof *formats };

ls_status ls_export_find(const ls_export_format **format, const char *path)
{
  const char *folder = strrchr(path, '/'), *ending = strrchr(folder ? folder : path, '.');
  ls_text all = {0};
  for (size_t i = 0; i < FORMAT_COUNT; i++) {
    *format = formats[i];
    if (ending && strcasecmp(ending, formats[i]->extension) == 0) {
      ls_text_fini(&all);
      return LS_OK;
    }
    ls_text_add(&all, "%s%s", i > 0 ? ", " : "", formats[i]->extension);
  }
  const ls_status status = ls_fail(LS_E_USAGE, "'%s': the extension says the format; expected one of: %s",
                                   path, ls_text_get(&all));
  ls_text_fini(&all);
  return status;
}
