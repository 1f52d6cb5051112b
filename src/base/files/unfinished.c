/* SPDX-License-Identifier: BSD-3-Clause */
/* A handler may run in any thread, and may neither wait nor allocate. So the thread that changes the state
 * from KNOWN owns the file, and only the thread that has made it BUSY changes the name. A forked child does
 * not own its parent's file.
 */
#include "base/files/unfinished.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { NONE, BUSY, KNOWN, NAME_BYTES = 256 };

static atomic_int state = NONE;
static pid_t process;
static int in_folder;
static char file[NAME_BYTES];

static bool change(int from, int to)
{
  return atomic_compare_exchange_strong(&state, &from, to);
}

bool ls_unfinished_begin(int folder, const char *name)
{
  if (strlen(name) >= sizeof file || !change(NONE, BUSY)) return false;
  process = getpid();
  in_folder = folder;
  snprintf(file, sizeof file, "%s", name);
  atomic_store(&state, KNOWN);
  return true;
}

void ls_unfinished_end(void)
{
  (void)change(KNOWN, NONE);
}

void ls_unfinished_remove(void)
{
  if (change(KNOWN, BUSY) && process == getpid()) (void)unlinkat(in_folder, file, 0);
}

void ls_unfinished_block(sigset_t *before)
{
  sigset_t all;
  sigfillset(&all);
  (void)pthread_sigmask(SIG_BLOCK, &all, before);
}

void ls_unfinished_unblock(const sigset_t *before)
{
  (void)pthread_sigmask(SIG_SETMASK, before, NULL);
}
