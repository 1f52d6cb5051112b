/* SPDX-License-Identifier: BSD-3-Clause */
/* Compiled for any processor of the architecture (src/CMakeLists.txt), and so are main.c and
 * kernels/dispatch.c. */
#include "cli/process/processor.h"

#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include "kernels/dispatch.h"

bool ls_processor_check(void)
{
  const char *missing = ls_kernel_set_missing();
  if (!missing) return true;
  char host[65] = "";
  if (gethostname(host, sizeof host - 1) != 0) host[0] = '\0';
  dprintf(
      STDERR_FILENO,
      "lockstep: usage error: this program was built for a newer processor, one with %s, than that of host "
      "%s; try: build it on a processor of this kind, or for any with -DLS_NATIVE=OFF\n",
      missing, host);
  return false;
}
