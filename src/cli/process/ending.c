/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/process/ending.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/files/unfinished.h"
#include "cli/print.h"

/* After a crash nothing but system calls is safe. mpirun ends the other ranks. */
static void on_crash(int signal_number)
{
  static const char segment[] = "lockstep: internal error: a crash (segmentation fault); HDF5's library "
                                "crashes where memory is short\n";
  static const char other[] = "lockstep: internal error: a crash (bus error, or abort); HDF5's library "
                              "crashes where memory is short\n";
  const bool is_segment = signal_number == SIGSEGV;
  const char *line = is_segment ? segment : other;
  ls_unfinished_remove();
  if (write(STDERR_FILENO, line, strlen(line)) < 0) _exit(1);
  _exit(1);
}

static void on_early_exit(int status, void *user)
{
  (void)status;
  ls_ending *self = user;
  if (self->is_over || getpid() != self->process) return;
  self->is_over = true;
  ls_unfinished_remove();
  const int exit_status = ls_status_exit(LS_E_MEMORY);
  const bool is_alone = ls_comm_size(self->comm) == 1;
  ls_print(stderr, "lockstep: %s: a library has ended the program, as HDF5's does where memory is short",
           ls_status_word(LS_E_MEMORY));
  if (is_alone)
    ls_print(stderr, "\n");
  else
    ls_print(stderr, " (rank %d)\n", ls_comm_rank(self->comm));
  (void)fflush(stdout);
  if (!is_alone) ls_comm_kill(self->comm, exit_status);
  _exit(exit_status);
}

/* The sanitizers have handlers of their own, which say more. */
static bool watch_crashes(ls_ending *ending)
{
#ifdef LS_SANITIZED
  (void)ending, (void)on_crash;
  return true;
#else
  static const int crashes[] = {SIGSEGV, SIGBUS, SIGABRT};
  const stack_t stack = {.ss_sp = ending->stack, .ss_size = sizeof ending->stack};
  const struct sigaction action = {.sa_handler = on_crash, .sa_flags = SA_ONSTACK};
  bool is_set = sigaltstack(&stack, NULL) == 0;
  for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
    is_set = is_set && sigaction(crashes[i], &action, NULL) == 0;
  return is_set;
#endif
}

ls_status ls_ending_watch(ls_ending *ending, ls_comm *comm)
{
  ending->comm = comm;
  ending->process = getpid();
  ending->is_over = false;
  const bool is_set = on_exit(on_early_exit, ending) == 0 && watch_crashes(ending);
  return is_set ? LS_OK : ls_fail(LS_E_MEMORY, "no memory to start");
}
