/* SPDX-License-Identifier: BSD-3-Clause */
/* Preloaded into the program: a training that waits at a known file until a test lets it go on, so that no
 * machine is too fast for what the test does to it meanwhile, and none too slow.
 *
 *   LS_HOLD=FILE         wait while FILE exists, or until a signal comes that the program handles; once only
 *   LS_HOLD_DEAF=1       no signal ends the wait
 *   LS_HOLD_AT=PATTERN   where: after a file was given a name like this, before one that has such a name is
 * given another one, or before such a folder is opened; of a path the last part counts
 *
 * A test that sees such a file knows that its writer waits, and that no signal to it is lost; the same holds
 * for FILE.reached. */
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int renameat_function(int, const char *, int, const char *);
typedef DIR *opendir_function(const char *);

static atomic_flag has_waited = ATOMIC_FLAG_INIT;

static bool is_held(const char *path)
{
  const char *pattern = getenv("LS_HOLD_AT"), *slash = strrchr(path, '/');
  return getenv("LS_HOLD") && pattern && fnmatch(pattern, slash ? slash + 1 : path, 0) == 0;
}

static void block_signals(sigset_t *before)
{
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, before);
}

static void tell_reached(const char *file)
{
  char path[4096];
  snprintf(path, sizeof path, "%s.reached", file);
  const int descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor >= 0) close(descriptor);
}

/* Signals are let through only while it sleeps: none comes between a look at the file and the sleep. */
static void hold(const sigset_t *unblocked)
{
  const struct timespec nap = {.tv_nsec = 10000000};
  const char *file = getenv("LS_HOLD");
  const bool is_deaf = getenv("LS_HOLD_DEAF") != NULL;
  if (atomic_flag_test_and_set(&has_waited)) return;
  tell_reached(file);
  while (access(file, F_OK) == 0 && (ppoll(NULL, 0, &nap, unblocked) == 0 || is_deaf)) continue;
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
  renameat_function *real;
  *(void **)&real = dlsym(RTLD_NEXT, "renameat");
  if (!is_held(to) && !is_held(from)) return real(from_folder, from, to_folder, to);
  sigset_t before;
  block_signals(&before);
  if (is_held(from)) hold(&before);
  const int failed = real(from_folder, from, to_folder, to);
  if (!failed && is_held(to)) hold(&before);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return failed;
}

int rename(const char *from, const char *to)
{
  return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

DIR *opendir(const char *path)
{
  opendir_function *real;
  *(void **)&real = dlsym(RTLD_NEXT, "opendir");
  if (is_held(path)) {
    sigset_t before;
    block_signals(&before);
    hold(&before);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
  }
  return real(path);
}
