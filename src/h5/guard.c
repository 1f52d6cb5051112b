/* SPDX-License-Identifier: BSD-3-Clause */
/* The child reports the outcome of the attempt through a pipe; without a report it has died. A failed attempt
 * is repeated: only if it fails again, although there is memory, is it the file's fault. Its limit on time is
 * on its own processor time, so that it is the same on a busy machine. */
#include "h5/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "h5/internal.h"

/* The result of a second attempt after the first one's failure: the same error; memory was missing for a
 * moment; the file took too much memory. */
enum { AGREED, LACKING, HUNGRY };

static const uint64_t BYTES_PER_SECOND = 20000000; /* a second for so much, beyond the least */
enum { LEAST_CPU_US = 400000, LEAST_MEMORY_MB = 64, MB = 1 << 20 };

/* Code that sanitizers watch takes so many times as long. */
#ifdef LS_SANITIZED
enum { SLOWER = 5 };
#else
enum { SLOWER = 1 };
#endif

static uint64_t memory_mb(uint64_t file_bytes)
{
  return LEAST_MEMORY_MB + file_bytes / MB;
}

/* ---- the child ---- */

/* Where the child's end of the pipe lies, also for its handler of signals. */
enum { PARENT = STDIN_FILENO, STACK_BYTES = 1 << 16 };

/* The parent's signal handlers must not run in the child, and a signal to the parent must not look like a
 * crash of the child. */
static void reset_signals(void)
{
  static const int passed[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGPIPE};
  sigset_t none;
  sigemptyset(&none);
  for (int i = 1; i < NSIG; i++) (void)signal(i, SIG_DFL);
  for (size_t i = 0; i < sizeof passed / sizeof *passed; i++) (void)signal(passed[i], SIG_IGN);
  (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Bytes of address space in use; 0 if the system does not say. Without allocations, as all here: the attempt
 * is to find the heap as the parent has it. */
static uint64_t mapped_bytes(void)
{
  char text[32] = "";
  int statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (statm < 0) return 0;
  if (read(statm, text, sizeof text - 1) < 0) text[0] = '\0';
  (void)close(statm);
  return strtoull(text, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void limit_time(uint64_t file_bytes)
{
  const uint64_t us = SLOWER * (LEAST_CPU_US + file_bytes * 1000000 / BYTES_PER_SECOND);
  const struct itimerval cpu = {
      .it_value = {.tv_sec = (time_t)(us / 1000000), .tv_usec = (suseconds_t)(us % 1000000)}};
  (void)setitimer(ITIMER_PROF, &cpu, NULL); /* SIGPROF ends the child */
}

/* Bytes of address space that this process may take; 0: one that was set before allows less. */
static uint64_t limit_memory(uint64_t file_bytes)
{
  const uint64_t mapped = mapped_bytes();
  struct rlimit memory;
  if (mapped == 0 || getrlimit(RLIMIT_AS, &memory) != 0) return 0;
  const rlim_t most = mapped + memory_mb(file_bytes) * MB;
  if (memory.rlim_cur != RLIM_INFINITY && memory.rlim_cur < most) return 0;
  memory.rlim_cur = most;
  return setrlimit(RLIMIT_AS, &memory) == 0 ? most : 0;
}

/* Is half of what may still be taken there? */
static bool has_memory(uint64_t limit)
{
  const uint64_t mapped = mapped_bytes();
  void *half = mapped < limit ? malloc((size_t)(limit - mapped) / 2) : NULL;
  free(half);
  return half || mapped >= limit;
}

/* No traces: no core file, no words of the C library's on a broken heap. */
static void be_quiet(void)
{
  (void)prctl(PR_SET_DUMPABLE, 0);
  int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nothing < 0) return;
  (void)dup2(nothing, STDOUT_FILENO);
  (void)dup2(nothing, STDERR_FILENO);
}

static void send_up(const void *data, size_t bytes)
{
  ssize_t put;
  do {
    put = write(PARENT, data, bytes); /* less than PIPE_BUF: all or nothing */
  } while (put < 0 && errno == EINTR);
}

/* The library crashes on damage, but also where it cleans up after a failed allocation, which its stack of
 * errors then shows. Looking there may crash again, or wait for a lock of malloc's: either ends the child. */
static void on_crash(int signal_number)
{
  (void)signal(SIGALRM, SIG_DFL);
  (void)alarm(2);
  if (ls_h5_fail(LS_E_INPUT, "no memory to read it") != LS_E_MEMORY) {
    (void)raise(signal_number); /* now it ends the child */
    return;
  }
  const ls_error outcome = *ls_error_last();
  send_up(&outcome, sizeof outcome);
  _exit(0);
}

static void watch_crashes(void *stack)
{
  const stack_t own = {.ss_sp = stack, .ss_size = STACK_BYTES};
  struct sigaction action = {.sa_handler = on_crash, .sa_flags = (int)(SA_ONSTACK | SA_RESETHAND)};
  if (sigaltstack(&own, NULL) != 0) return;
  (void)sigaction(SIGSEGV, &action, NULL);
  (void)sigaction(SIGBUS, &action, NULL);
}

/* The attempt is made again after it failed: the second result shows whether memory was missing, for a moment
 * or because of the file. */
static void try_again(uint64_t file_bytes, ls_h5_attempt attempt, void *user, ls_status before, uint64_t most)
{
  if (before == LS_OK || before == LS_E_IO) return;
  limit_time(file_bytes);
  const ls_status status = attempt(user);
  char second = AGREED;
  if (status == LS_OK) second = LACKING;
  if (status == LS_E_MEMORY && status == before && most > 0 && has_memory(most)) second = HUNGRY;
  send_up(&second, sizeof second);
}

static _Noreturn void run_child(int pipe_end, pid_t parent, uint64_t file_bytes, ls_h5_attempt attempt,
                                void *user)
{
  char stack[STACK_BYTES];
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent || dup2(pipe_end, PARENT) < 0) _exit(1);
  reset_signals();
  be_quiet();
  watch_crashes(stack);
  const uint64_t most = limit_memory(file_bytes);
  limit_time(file_bytes);
  ls_error outcome = {.status = attempt(user), .rank = -1};
  if (outcome.status != LS_OK)
    outcome = *ls_error_last();
  else
    (void)
        H5garbage_collect(); /* frees what it keeps: the C library then sees if a block was written beyond */
  send_up(&outcome, sizeof outcome);
  try_again(file_bytes, attempt, user, outcome.status, most);
  _exit(0);
}

/* ---- the parent ---- */

static ls_status explain_death(bool is_known, int how, uint64_t file_bytes)
{
  if (!is_known)
    return ls_fail(LS_E_IO,
                   "the process that was to read it has ended, and this program was not told how: it ignores "
                   "SIGCHLD, or waits for all of its children");
  const int signal_number = WIFSIGNALED(how) ? WTERMSIG(how) : 0;
  if (signal_number == SIGPROF)
    return ls_fail(LS_E_INPUT, "damaged: the HDF5 library does not come to an end with it");
  if (signal_number == SIGKILL)
    return ls_fail(LS_E_MEMORY,
                   "the process that was to read it was killed (as the system does when there is "
                   "no memory left); %llu MB is the most that it takes",
                   (unsigned long long)memory_mb(file_bytes));
  if (WIFEXITED(how) && WEXITSTATUS(how) != 0)
    return ls_fail(LS_E_MEMORY,
                   "the HDF5 library has ended the process that was to read it, as it does without memory");
  return ls_fail(LS_E_INPUT, "damaged: the HDF5 library crashes on it");
}

static ls_status explain_hunger(uint64_t file_bytes)
{
  return ls_fail(LS_E_INPUT,
                 "damaged, or made to harm: reading it takes more than the %llu MB of memory that are "
                 "allowed for its size",
                 (unsigned long long)memory_mb(file_bytes));
}

/* How the child ended; false if that is unknown: a program that uses the library may wait for all its
 * children itself, or ignore SIGCHLD. */
static bool wait_for(pid_t child, int *how)
{
  pid_t ended;
  do {
    ended = waitpid(child, how, 0);
  } while (ended < 0 && errno == EINTR);
  return ended == child;
}

/* Read until there is no more; true if all of it has come. */
static bool listen_to(int pipe_end, void *data, size_t bytes)
{
  char *to = data;
  size_t done = 0;
  while (done < bytes) {
    const ssize_t got = LS_SYSTEM("read", read(pipe_end, to + done, bytes - done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    done += (size_t)got;
  }
  return true;
}

/* The outcome of the attempt; *is_reported: with the child's message, else with ours. */
static ls_status run(uint64_t file_bytes, ls_h5_attempt attempt, void *user, bool *is_reported)
{
  int ends[2];
  ls_error outcome;
  char second = AGREED;
  *is_reported = false;
  if (LS_SYSTEM("open", pipe2(ends, O_CLOEXEC)) != 0)
    return ls_fail(LS_E_IO, "cannot make a pipe to a process that reads it: %s", strerror(errno));
  const pid_t parent = getpid(), child = LS_SYSTEM("fork", fork());
  if (child == 0) run_child(ends[1], parent, file_bytes, attempt, user);
  const int error = errno;
  (void)close(ends[1]);
  if (child >= 0) *is_reported = listen_to(ends[0], &outcome, sizeof outcome);
  if (*is_reported && !listen_to(ends[0], &second, sizeof second)) second = AGREED;
  (void)close(ends[0]);
  if (child < 0) return ls_fail(LS_E_MEMORY, "cannot start a process that reads it: %s", strerror(error));
  int how = 0;
  const bool is_known = wait_for(child, &how);
  if (!*is_reported) return explain_death(is_known, how, file_bytes);
  *is_reported = second != HUNGRY;
  if (second == HUNGRY) return explain_hunger(file_bytes);
  if (second == LACKING) outcome.status = LS_E_MEMORY;
  ls_error_install(&outcome);
  return outcome.status;
}

ls_status ls_h5_guard(const char *path, uint64_t file_bytes, ls_h5_attempt attempt, void *user)
{
  bool is_reported;
  const ls_status status = run(file_bytes, attempt, user, &is_reported);
  return status == LS_OK || is_reported || !path ? status : ls_wrap(status, "'%s'", path);
}
