/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls of libhdf5: the library's start, its errors in our error chain, and the release of identifiers.
 *
 * HDF5 prints its whole stack of errors by default. Its innermost message says what went wrong ("wrong
 * fletcher32 checksum"); the others say which of its functions called which. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "h5/guard.h"
#include "h5/internal.h"

enum { REASON_BYTES = 160 };

typedef struct reason {
  char text[REASON_BYTES];
  bool is_memory;
} reason;

static ls_status open_library(void *user)
{
  (void)user;
  if (H5open() >= 0 && H5Eset_auto2(H5E_DEFAULT, NULL, NULL) >= 0) return LS_OK;
  return ls_fail(LS_E_MEMORY, "the HDF5 library cannot start");
}

/* After a failed allocation or close, libhdf5's handler at the program's exit crashes. Only the very first
 * call of the library can switch it off; later that call fails, which shows that it is not the first. An
 * allocation that fails while the library starts makes it recurse until it crashes: a child process tries
 * that out. */
ls_status ls_h5_start(void)
{
  if (H5dont_atexit() < 0) return open_library(NULL);
  if (ls_h5_guard(NULL, 0, open_library, NULL) != LS_OK)
    return ls_wrap(LS_E_MEMORY, "the HDF5 library cannot start");
  return open_library(NULL);
}

/* Asks the library that was loaded, which may be another than the one whose headers we were built with. */
const char *ls_h5_version(void)
{
  static _Thread_local char text[48];
  unsigned major, minor, release;
  if (ls_h5_start() != LS_OK || H5get_libversion(&major, &minor, &release) < 0) return "unknown";
  snprintf(text, sizeof text, "%u.%u.%u", major, minor, release);
  return text;
}

static herr_t take_first(unsigned n, const H5E_error2_t *error, void *user)
{
  reason *first = user;
  if (n == 0 && error->desc) snprintf(first->text, sizeof first->text, ": HDF5: %s", error->desc);
  first->is_memory = first->is_memory || error->min_num == H5E_NOSPACE || error->min_num == H5E_CANTALLOC;
  return 0;
}

ls_status ls_h5_fail(ls_status status, const char *fmt, ...)
{
  char ours[1024];
  reason first = {.text = ""};
  va_list args;
  va_start(args, fmt);
  vsnprintf(ours, sizeof ours, fmt, args);
  va_end(args);
  (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_first, &first);
  (void)H5Eclear2(H5E_DEFAULT);
  if (status == LS_E_INPUT && first.is_memory) status = LS_E_MEMORY;
  return ls_fail(status, "%s%s", ours, first.text);
}

void ls_h5_release(ls_h5_id id)
{
  if (id >= 0) (void)H5Idec_ref(id);
}

ls_status ls_h5_close(ls_h5_id id, ls_status status)
{
  if (id >= 0 && H5Idec_ref(id) < 0 && status == LS_OK)
    return ls_h5_fail(LS_E_MEMORY, "cannot complete a part of an HDF5 file");
  return status;
}
