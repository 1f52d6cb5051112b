/* SPDX-License-Identifier: BSD-3-Clause */
/* LLVM's libomp has a function for it. GCC's libgomp reads it from the environment when it is loaded, which
 * is before main(): the program sets the variable and replaces itself. Waits of our own at the end of
 * each parallel region were tried instead: threads then spin in libgomp between the regions, and nothing is
 * won. */
#include "cli/process/spinning.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/auxv.h>
#include <unistd.h>

extern void kmp_set_blocktime(int milliseconds) __attribute__((weak)); /* libomp's */

enum { BLOCKTIME_MS = 1 };

static const char SPIN_COUNT[] = "20000"; /* pauses: 0.4 to 1.1 ms, by processor; libgomp's own is 300000 */

/* The user has chosen; or there is one thread; or this process is bound already to the core of OpenMP's first
 * thread, which is all that the next one would see. */
static bool is_set(void)
{
  static const char *const chosen[] = {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME", "OMP_PLACES",
                                       "GOMP_CPU_AFFINITY"};
  for (size_t i = 0; i < sizeof chosen / sizeof *chosen; i++)
    if (getenv(chosen[i])) return true;
  const char *threads = getenv("OMP_NUM_THREADS"), *binding = getenv("OMP_PROC_BIND");
  return (threads && strcmp(threads, "1") == 0) || (binding && strcasecmp(binding, "false") != 0);
}

/* By its own path, so that it keeps its name. Where that fails, threads spin as OpenMP has it. A program that
 * the dynamic loader was called with is not what the system has executed: its loader was loaded by none. */
static void start_again(char **argv)
{
  char path[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
  if (getauxval(AT_BASE) == 0 || length <= 0 || setenv("GOMP_SPINCOUNT", SPIN_COUNT, 1) != 0) return;
  path[length] = '\0';
  execv(path, argv);
  (void)unsetenv("GOMP_SPINCOUNT");
}

void ls_spin_briefly(char **argv)
{
  if (is_set()) return;
  if (kmp_set_blocktime)
    kmp_set_blocktime(BLOCKTIME_MS);
  else
    start_again(argv);
}
