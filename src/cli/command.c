/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared by all subcommands: argument parsing by argp, in which rank 0 alone prints, and printing of complete
 * texts. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "cli/command.h"
#include "cli/print.h"

bool ls_command_asks_for_help(int argc, char **argv)
{
  for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
    if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-?") == 0 || strcmp(argv[i], "-h") == 0)
      return true;
  return false;
}

/* Does getopt say that this option lacks its value? */
static bool lacks_value(const struct argp_option *option, const char *said)
{
  char words[96];
  snprintf(words, sizeof words, "option '--%s' requires an argument", option->name);
  if (strstr(said, words)) return true;
  snprintf(words, sizeof words, "option requires an argument -- '%c'", option->key);
  return strstr(said, words) != NULL;
}

/* What the help calls the value of an option that lacks it; NULL: none does. */
static const char *missing_value(const struct argp *argp, const char *said)
{
  const char *value = NULL;
  for (const struct argp_option *option = argp->options; option && option->name; option++)
    if (option->arg && lacks_value(option, said)) return option->arg;
  for (const struct argp_child *child = argp->children; child && child->argp && !value; child++)
    value = missing_value(child->argp, said);
  return value;
}

/* Messages of argp and getopt quote the arguments; their own lines come after it. */
static void print_usage_error(const struct argp *argp, char *said)
{
  static const char hint[] = "\nTry `";
  char *own = NULL;
  for (char *at = said; (at = strstr(at, hint)); at++) own = at;
  if (!own) own = strrchr(said, '\n');
  if (!own) own = said + strlen(said);
  const char *value = missing_value(argp, said);
  ls_print(stderr, "%.*s%s%s", (int)(own - said), said, value ? ": " : "", value ? value : "");
  ls_print_lines(stderr, own);
}

/* Both write to stderr, which is another stream for as long. Without memory they are not printed. */
static int parse(const struct argp *argp, int argc, char **argv, unsigned flags, void *input)
{
  char *said = NULL;
  size_t length = 0;
  FILE *terminal = stderr;
  FILE *memory = LS_FAULT("alloc", __func__) ? NULL : open_memstream(&said, &length);
  if (!memory) return ENOMEM;
  stderr = memory;
  int failed = argp_parse(argp, argc, argv, flags, NULL, input);
  stderr = terminal;
  const bool is_closed = fclose(memory) == 0;
  const bool is_lost = failed && length == 0 && !(flags & ARGP_NO_ERRS); /* they report every failure */
  if (!is_closed || is_lost)
    failed = ENOMEM;
  else if (length > 0)
    print_usage_error(argp, said);
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

char *ls_command_folder(char *value)
{
  for (size_t length = strlen(value); length > 1 && value[length - 1] == '/'; length--)
    value[length - 1] = '\0';
  return value;
}
