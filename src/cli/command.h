/* SPDX-License-Identifier: BSD-3-Clause */
/* A subcommand: one file (cmd_<word>.c) and one word in the list. */
#ifndef LS_CLI_COMMAND_H
#define LS_CLI_COMMAND_H

#include <stdbool.h>

#include "base/status.h"
#include "comm/comm.h"

typedef struct ls_command {
  const char *word; /* "train" */
  const char *doc;  /* one line for `lockstep --help` */
  bool shares;      /* ranks and threads share its work: not for processes that do not know of each other */
  bool reports_launch; /* its output reports a wrong start of processes itself */
  /* argv[0] is the word. Parse with ls_command_parse(). Runs on every rank; rank 0 alone prints.
   * Collective: the same status everywhere. main() prints the error. */
  ls_status (*run)(ls_comm *comm, int argc, char **argv);
} ls_command;

/* In the order of `lockstep --help`. */
#define LS_COMMAND_LIST(X)                                                                                   \
  X(train) X(eval) X(predict) X(attack) X(data) X(inspect) X(export) X(bench) X(scale) X(doctor)

#define LS_COMMAND_DECLARE(name) extern const ls_command ls_command_##name;
LS_COMMAND_LIST(LS_COMMAND_DECLARE)
#undef LS_COMMAND_DECLARE

struct argp;

/** Is --help among the options? Local. */
bool ls_command_asks_for_help(int argc, char **argv);

/** Run argp on the arguments of a subcommand: `lockstep WORD` is the name in messages, help is printed by
 * rank 0 alone. *done is set when only help was asked for: the command returns LS_OK. Collective. Errors:
 * LS_E_USAGE, LS_E_MEMORY, LS_E_COMM. */
ls_status ls_command_parse(ls_comm *comm, const struct argp *argp, int argc, char **argv, void *input,
                           bool *done) LS_CHECKED;

/** A folder that was given, without the slashes that a shell's completion leaves behind; changes `value`. */
char *ls_command_folder(char *value);

#endif
