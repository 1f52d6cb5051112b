/* SPDX-License-Identifier: BSD-3-Clause */
/* The program: find the subcommand, run it on every rank, print one error, end with its exit status. */
#include <errno.h>
#include <fcntl.h>
#include <fenv.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/process/ending.h"
#include "cli/print.h"
#include "cli/process/processor.h"
#include "cli/process/spinning.h"
#include "cli/process/stop.h"
#include "comm/placement/launcher.h"

#define LIST_COMMAND(name) &ls_command_##name,
static const ls_command *const commands[] = {LS_COMMAND_LIST(LIST_COMMAND) NULL};

static void print_help(FILE *stream)
{
  ls_print_lines(stream, "Usage: lockstep COMMAND [ARGUMENT...]\n"
                         "       mpirun -n RANKS lockstep COMMAND [ARGUMENT...]\n"
                         "\n"
                         "Trains image classifiers on CPU clusters and multicore workstations.\n"
                         "\n"
                         "Commands:\n");
  for (const ls_command *const *command = commands; *command; command++)
    ls_print(stream, "  %-9s %s\n", (*command)->word, (*command)->doc);
  ls_print_lines(stream, "\n"
                         "`lockstep COMMAND --help` says more. A first run, on data that Debian brings:\n"
                         "  lockstep train configs/lenet5.yaml data.source=fashion-mnist -o runs/first\n"
                         "\n"
                         "Exit status: 0 done; 1 failed while running; 2 bad usage, configuration or\n"
                         "input; 75 stopped on request after a checkpoint (go on with --resume); 128\n"
                         "and a signal's number, as 130 for Ctrl-C: ended by it, with nothing to save.\n");
}

static const ls_command *find_command(const char *word)
{
  for (const ls_command *const *command = commands; *command; command++)
    if (strcmp((*command)->word, word) == 0) return *command;
  return NULL;
}

/* Check that all ranks have the same arguments: a rank with another command would leave the others waiting.
 * Collective. */
static ls_status check_arguments(ls_comm *comm, int argc, char **argv)
{
  ls_text lines = {0};
  char *text = NULL;
  for (int i = 1; i < argc; i++) ls_text_add(&lines, "%s\n", argv[i]);
  ls_status status;
  LS_GO(ls_comm_agree(comm, ls_text_take(&lines, &text)));
  status = ls_comm_same(comm, text, "the command line's arguments are", LS_E_USAGE);
done:
  free(text);
  return status;
}

/* Processes that do not know of each other would each do the whole work, and write it to folders of their
 * own. Where that does no harm it is reported, unless the command does so itself. One of them reports it for
 * all. Local. */
static ls_status check_launch(const ls_comm *comm, const ls_command *command)
{
  const ls_launch *launch = ls_comm_launch(comm);
  ls_text text = {0};
  ls_launcher_warn_apart(launch, (size_t)ls_comm_size(comm), ls_comm_library(), &text);
  ls_status status = LS_OK;
  if (text.length > 0 && command->shares)
    status = ls_fail(LS_E_USAGE, "%s", launch->is_first ? ls_text_get(&text) : "");
  else if (text.length > 0 && launch->is_first && !command->reports_launch)
    ls_warn("%s", ls_text_get(&text));
  ls_text_fini(&text);
  return status;
}

static ls_status run(ls_comm *comm, int argc, char **argv)
{
  LS_PASS(check_arguments(comm, argc, argv));
  bool printing = ls_comm_rank(comm) == 0;
  const char *word = argc > 1 ? argv[1] : "--help";
  if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
    if (printing) print_help(stdout);
    return LS_OK;
  }
  if (strcmp(word, "--version") == 0) {
    if (printing) ls_print(stdout, "lockstep " LS_VERSION "\n");
    return LS_OK;
  }
  const ls_command *command = find_command(word);
  if (!command) return ls_fail(LS_E_USAGE, "there is no command '%s'; `lockstep --help` lists them", word);
  if (!ls_command_asks_for_help(argc - 1, argv + 1)) LS_AGREE(comm, check_launch(comm, command));
  return command->run(comm, argc - 1, argv + 1);
}

static void print_error(ls_status status)
{
  const ls_error *error = ls_error_last();
  if (error->text[0] == '\0') return; /* it has been reported already */
  if (status == LS_STOPPED)
    ls_print(stderr, "lockstep: %s\n", error->text);
  else if (error->rank >= 0)
    ls_print(stderr, "lockstep: %s: %s (rank %d)\n", ls_status_word(status), error->text, error->rank);
  else
    ls_print(stderr, "lockstep: %s: %s\n", ls_status_word(status), error->text);
}

/* Where a standard stream is closed, the next file that is opened would get its number, and then what is
 * printed. So each closed stream is opened on something that reads as empty and refuses to be written. */
static void occupy_streams(void)
{
  int descriptor;
  do descriptor = open("/dev/null", O_RDONLY);
  while (descriptor >= 0 && descriptor <= STDERR_FILENO);
  if (descriptor >= 0) close(descriptor);
}

/* Was all output written? The stream keeps an error of an earlier write. A closed pipe is no error: its
 * reader, such as `head`, has what it wanted. */
static ls_status finish_output(void)
{
  const bool failed_before = ferror(stdout);
  errno = 0;
  if (failed_before) ls_print(stdout, "\n"); /* again, to learn why */
  if (fflush(stdout) == 0 && !failed_before) return LS_OK;
  if (errno == EPIPE) return LS_OK;
  return ls_fail(LS_E_IO, "cannot write to standard output%s%s", errno ? ": " : "",
                 errno ? strerror(errno) : "");
}

int main(int argc, char **argv)
{
  if (!ls_processor_check()) return ls_status_exit(LS_E_USAGE);
  occupy_streams();
  fesetenv(FE_DFL_ENV); /* libraries that were linked with -ffast-math have small numbers flushed to 0 */
  signal(SIGPIPE,
         SIG_IGN); /* a closed pipe is a write error, and must not end this rank while the others wait */
  signal(SIGCHLD, SIG_DFL); /* who starts it may have ignored it: children then end without a word */
  signal(SIGXFSZ, SIG_IGN); /* so is a file that has become as large as `ulimit -f` allows */
  const ls_command *command = argc > 1 ? find_command(argv[1]) : NULL;
  if (command && command->shares) ls_spin_briefly(argv);
  ls_stop_catch();
  ls_comm *comm = NULL;
  ls_status status = ls_comm_start(&comm, &argc, &argv);
  if (status != LS_OK) {
    print_error(status);
    return ls_status_exit(status);
  }
  ls_stop_set_rank(ls_comm_rank(comm));
  ls_ending end;
  status = ls_comm_agree(comm, ls_ending_watch(&end, comm));
  if (status == LS_OK) status = run(comm, argc, argv);
  if (status == LS_OK) status = finish_output();
  /* An error of MPI itself may be this rank's alone: each rank reports it, then the job ends. */
  if (status != LS_OK && (status == LS_E_COMM || ls_comm_rank(comm) == 0)) print_error(status);
  end.is_over = true;
  ls_stop_silence();
  if (status == LS_E_COMM) ls_comm_kill(comm, ls_status_exit(status));
  ls_comm_finish(comm);
  exit(ls_status_exit(status)); /* while `end` is there */
}
