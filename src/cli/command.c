/* SPDX-License-Identifier: BSD-3-Clause */
/* What every subcommand shares: argument parsing by argp, with rank 0 as the only one that speaks, and
 * printing of what was made whole. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/print.h"

bool ls_command_asks_for_help(int argc, char **argv)
{
  for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
    if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-?") == 0 || strcmp(argv[i], "-h") == 0)
      return true;
  return false;
}

/* What argp and getopt say quotes the arguments; their own lines come after it. */
static void print_usage_error(char *said)
{
  static const char hint[] = "\nTry `";
  char *own = NULL;
  for (char *at = said; (at = strstr(at, hint)); at++) own = at;
  if (!own) own = strrchr(said, '\n');
  if (!own) own = said + strlen(said);
  ls_print(stderr, "%.*s", (int)(own - said), said);
  ls_print_lines(stderr, own);
}

/* Both write to stderr, which is another stream for as long. What finds no memory is not printed. */
static int parse(const struct argp *argp, int argc, char **argv, unsigned flags, void *input)
{
  char *said = NULL;
  size_t length = 0;
  FILE *terminal = stderr, *memory = open_memstream(&said, &length);
  if (!memory) return ENOMEM;
  stderr = memory;
  int failed = argp_parse(argp, argc, argv, flags, NULL, input);
  stderr = terminal;
  const bool is_closed = fclose(memory) == 0;
  const bool is_lost = failed && length == 0 && !(flags & ARGP_NO_ERRS); /* they report every failure */
  if (!is_closed || is_lost)
    failed = ENOMEM;
  else if (length > 0)
    print_usage_error(said);
  free(said);
  return failed;
}

ls_status ls_command_parse(ls_comm *comm, const struct argp *argp, int argc, char **argv, void *input,
                           bool *done)
{
  bool speaking = ls_comm_rank(comm) == 0;
  char name[64];
  snprintf(name, sizeof name, "lockstep %s", argv[0]);
  *done = ls_command_asks_for_help(argc, argv);
  if (*done) {
    if (speaking) argp_help(argp, stdout, ARGP_HELP_SHORT_USAGE | ARGP_HELP_LONG | ARGP_HELP_DOC, name);
    return LS_OK;
  }
  unsigned flags = ARGP_NO_EXIT | ARGP_NO_HELP | (speaking ? 0U : ARGP_NO_ERRS);
  char *word = argv[0];
  argv[0] = name; /* what argp and getopt call the program in their messages */
  int failed = parse(argp, argc, argv, flags, input);
  argv[0] = word;
  ls_status status = LS_OK;
  if (failed == ENOMEM)
    status = ls_fail(LS_E_MEMORY, "no memory for the arguments");
  else if (failed)
    status = ls_fail(LS_E_USAGE, "%s", "");
  return ls_comm_agree(comm, status);
}
