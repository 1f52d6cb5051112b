/* SPDX-License-Identifier: BSD-3-Clause */
/* A handler may call nothing but what POSIX names as safe in one, so that lines are made of constant texts,
 * by write(). What it reads and sets is the one global state of the program. */
#include "cli/process/stop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/files/unfinished.h"
#include "cli/print.h"

static volatile sig_atomic_t requested;     /* the signal that asked to stop; 0: none */
static volatile sig_atomic_t is_first_rank; /* which speaks for all */
static volatile sig_atomic_t is_watched;    /* standard error is a terminal */
static volatile sig_atomic_t bar_columns;   /* columns of the text on the terminal's current line */
static volatile sig_atomic_t saves;         /* when asked to stop */
static pid_t process;                       /* that has set the handler */

static const struct {
  int number;
  const char *name;
} signals[] = {{SIGINT, "SIGINT"}, {SIGTERM, "SIGTERM"}, {SIGUSR1, "SIGUSR1"}, {SIGHUP, "SIGHUP"}};

enum { SIGNALS = sizeof signals / sizeof *signals, EXIT_BY_SIGNAL = 128 };

static void put(int descriptor, const char *text)
{
  if (write(descriptor, text, strlen(text)) < 0) return; /* a terminal that went away */
}

/* Blanks replace a bar, and the terminal's echo of Ctrl-C behind it or at the beginning of the line.
 */
static void clear_line(void)
{
  const int terminal = is_watched ? STDERR_FILENO : STDOUT_FILENO; /* the other one may be a file */
  if (bar_columns > 0) put(terminal, "\r");
  for (sig_atomic_t i = 0; i < bar_columns; i++) put(terminal, " ");
  if (bar_columns > 0) put(terminal, "  \r");
  if (is_watched) put(STDERR_FILENO, "\r");
}

static const char *name_of(int signal_number)
{
  for (size_t i = 0; i < SIGNALS; i++)
    if (signals[i].number == signal_number) return signals[i].name;
  return "a signal";
}

static void say(const char *before, int signal_number, const char *after)
{
  clear_line();
  put(STDERR_FILENO, before);
  put(STDERR_FILENO, name_of(signal_number));
  put(STDERR_FILENO, after);
}

static void end(int signal_number)
{
  const char *lost =
      saves ? "), at once: what came after the last checkpoint is lost\n" : "), before it was done\n";
  ls_unfinished_remove();
  if (is_first_rank) say("lockstep: ended on request (", signal_number, lost);
  _exit(EXIT_BY_SIGNAL + signal_number);
}

/* A child that a library has forked has the handler until it starts another program: its parent, which gets
 * the signals of a terminal too, prints the line. */
static void on_signal(int signal_number)
{
  const int before = errno;
  if (getpid() != process) return;
  if (!saves || (requested && signal_number == SIGINT)) end(signal_number);
  if (!requested && is_watched && is_first_rank)
    say("lockstep: asked to stop (", signal_number,
        "): after the next step, with a checkpoint; Ctrl-C once more: at once\n");
  requested = signal_number;
  errno = before;
}

/* Before MPI says it. */
static bool is_first_of_launcher(void)
{
  static const char *const variables[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"};
  for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
    const char *rank = getenv(variables[i]);
    if (rank) return strcmp(rank, "0") == 0;
  }
  return true;
}

void ls_stop_catch(void)
{
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  process = getpid();
  is_first_rank = is_first_of_launcher();
  is_watched = ls_on_terminal(stderr);
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < SIGNALS; i++) sigaddset(&action.sa_mask, signals[i].number);
  for (size_t i = 0; i < SIGNALS; i++) {
    struct sigaction before;
    const bool is_ignored = sigaction(signals[i].number, NULL, &before) == 0 && before.sa_handler == SIG_IGN;
    if (!is_ignored) sigaction(signals[i].number, &action, NULL);
  }
}

/* The handler acts on a request that arrives in between. */
void ls_stop_saves(bool is_able)
{
  saves = is_able;
  if (!is_able && requested) end(requested);
}

const volatile sig_atomic_t *ls_stop_requested(void)
{
  return &requested;
}

void ls_stop_set_rank(int rank)
{
  is_first_rank = rank == 0;
}

void ls_stop_silence(void)
{
  is_first_rank = 0;
}

void ls_stop_set_bar(size_t columns)
{
  bar_columns = (sig_atomic_t)columns;
}
