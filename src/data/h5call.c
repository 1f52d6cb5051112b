/* SPDX-License-Identifier: BSD-3-Clause */
/* HDF5 prints its whole stack of errors by default. Its innermost message is the one that tells what went
 * wrong ("wrong fletcher32 checksum"); the others tell which of its functions called which. */
#include "data/h5call.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { REASON_BYTES = 512 };

static herr_t take_first(unsigned n, const H5E_error2_t *error, void *user)
{
  (void)n;
  const char **reason = user;
  if (!*reason) *reason = error->desc;
  return 0;
}

/* HDF5 reports a failed system call as a record of all it knows; the system's own words are among it. */
static void tidy(const char *reason, char text[REASON_BYTES])
{
  static const char before[] = "error message = '";
  const char *system = strstr(reason, before);
  if (system)
    snprintf(text, REASON_BYTES, "%.*s", (int)strcspn(system + sizeof before - 1, "'"),
             system + sizeof before - 1);
  else
    snprintf(text, REASON_BYTES, "HDF5: %s", reason);
}

ls_status ls_h5call_fail(ls_status status, const char *fmt, ...)
{
  char ours[1024];
  char text[REASON_BYTES] = "";
  const char *reason = NULL;
  va_list args;
  va_start(args, fmt);
  vsnprintf(ours, sizeof ours, fmt, args);
  va_end(args);
  (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_first, &reason);
  if (reason) tidy(reason, text);
  H5Eclear2(H5E_DEFAULT);
  return text[0] ? ls_fail(status, "%s: %s", ours, text) : ls_fail(status, "%s", ours);
}

void ls_h5call_quiet(void)
{
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

hid_t ls_h5call_access(void)
{
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  if (access < 0) return access;
  if (H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) < 0 || H5Pset_file_locking(access, 1, 1) < 0) {
    H5Pclose(access);
    return -1;
  }
  return access;
}
