/* SPDX-License-Identifier: BSD-3-Clause */
/* Open MPI's mpirun puts a pseudo-terminal between itself and its ranks, so that isatty() is true even when
 * its own output goes to a file. What counts there is where the launcher, our parent, writes to. */
#include "cli/process/terminal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static bool parent_on_terminal(int number)
{
  char path[64];
  snprintf(path, sizeof path, "/proc/%ld/fd/%d", (long)getppid(), number);
  int descriptor = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0) return false;
  bool terminal = isatty(descriptor) == 1;
  close(descriptor);
  return terminal;
}

bool ls_on_terminal(FILE *stream)
{
  const int number = fileno(stream);
  if (isatty(number) != 1) return false;
  return getenv("OMPI_COMM_WORLD_SIZE") ? parent_on_terminal(number) : true;
}
