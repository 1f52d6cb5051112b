/* SPDX-License-Identifier: BSD-3-Clause */
/* lockstep data: runs the subcommand of its next word. */
#include <stdio.h>
#include <string.h>

#include "cli/data/data_command.h"
#include "cli/print.h"
#include "data/kinds.h"

#define LIST_COMMAND(name) &ls_data_##name,
static const ls_command *const words[] = {LS_DATA_COMMAND_LIST(LIST_COMMAND) NULL};

static void print_help(void)
{
  ls_print_lines(stdout, "Usage: lockstep data WORD [ARGUMENT...]\n"
                         "\n"
                         "Datasets: a name of the catalogue, a folder of " LS_FOLDER_FORMATS " files, or\n"
                         "an .h5 file.\n"
                         "\n"
                         "Words:\n");
  for (const ls_command *const *word = words; *word; word++)
    ls_print(stdout, "  %-9s %s\n", (*word)->word, (*word)->doc);
  ls_print_lines(stdout, "\n"
                         "`lockstep data WORD --help` says more. Examples:\n"
                         "  lockstep data info fashion-mnist\n"
                         "  lockstep data preview cifar10 -o cifar10.png\n"
                         "  lockstep data import path/to/idx-files -o mine.h5\n");
}

static const ls_command *find_word(const char *text)
{
  for (const ls_command *const *word = words; *word; word++)
    if (strcmp((*word)->word, text) == 0) return *word;
  return NULL;
}

static bool asks_for_help(const char *text)
{
  return strcmp(text, "--help") == 0 || strcmp(text, "-h") == 0 || strcmp(text, "-?") == 0;
}

static ls_status run(ls_comm *comm, int argc, char **argv)
{
  if (argc < 2)
    return ls_fail(LS_E_USAGE, "`lockstep data` needs a word more; `lockstep data --help` lists them");
  if (asks_for_help(argv[1])) {
    if (ls_comm_rank(comm) == 0) print_help();
    return LS_OK;
  }
  const ls_command *word = find_word(argv[1]);
  if (!word)
    return ls_fail(LS_E_USAGE, "there is no command 'data %s'; `lockstep data --help` lists them", argv[1]);
  char name[32]; /* as messages and help show it */
  snprintf(name, sizeof name, "data %s", word->word);
  argv[1] = name;
  return word->run(comm, argc - 1, argv + 1);
}

const ls_command ls_command_data = {
    .word = "data", .doc = "import, describe and preview datasets", .run = run};
