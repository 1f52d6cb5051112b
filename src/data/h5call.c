/* SPDX-License-Identifier: BSD-3-Clause */
/* HDF5 prints its whole stack of errors by default. Its innermost message is the one that tells what went
 * wrong ("wrong fletcher32 checksum"); the others tell which of its functions called which. */
#include "data/h5call.h"

#include <stdarg.h>
#include <stdio.h>

static herr_t take_first(unsigned n, const H5E_error2_t *error, void *user)
{
  (void)n;
  const char **reason = user;
  if (!*reason) *reason = error->desc;
  return 0;
}

ls_status ls_h5call_fail(ls_status status, const char *fmt, ...)
{
  char ours[1024];
  const char *reason = NULL;
  va_list args;
  va_start(args, fmt);
  vsnprintf(ours, sizeof ours, fmt, args);
  va_end(args);
  (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_first, &reason);
  ls_status result =
      reason && reason[0] ? ls_fail(status, "%s: HDF5: %s", ours, reason) : ls_fail(status, "%s", ours);
  H5Eclear2(H5E_DEFAULT);
  return result;
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
