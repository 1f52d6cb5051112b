/* SPDX-License-Identifier: BSD-3-Clause */
/* Asks the library that was loaded, which may be another than the one whose headers we were built with. */
#include "store/inspect/version.h"

#include <hdf5.h>
#include <stdio.h>

#include "h5/call.h"

ls_status ls_h5_prepare(void)
{
  return ls_h5_start();
}

const char *ls_h5_version(void)
{
  static _Thread_local char text[48];
  unsigned major, minor, release;
  if (ls_h5_start() != LS_OK || H5get_libversion(&major, &minor, &release) < 0) return "unknown";
  snprintf(text, sizeof text, "%u.%u.%u", major, minor, release);
  return text;
}
