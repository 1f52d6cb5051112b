/* SPDX-License-Identifier: BSD-3-Clause */
/* Compiled for any processor of the architecture (src/CMakeLists.txt), and so is main.c. */
#include "cli/process/processor.h"

#ifdef __x86_64__
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

bool ls_processor_check(void)
{
  __builtin_cpu_init();
#define HAS(name, macro) {name, __builtin_cpu_supports(name) != 0},
  const struct {
    const char *name;
    bool is_there;
  } sets[] = {LS_PROCESSOR_SETS(HAS)};
  const char *missing = NULL;
  for (size_t i = sizeof sets / sizeof *sets; i-- > 0;)
    if (ls_processor_uses[i] && !sets[i].is_there) missing = sets[i].name;
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
#else
bool ls_processor_check(void)
{
  return true;
}
#endif
