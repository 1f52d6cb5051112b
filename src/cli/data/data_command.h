/* SPDX-License-Identifier: BSD-3-Clause */
/* The words after `lockstep data`: one file each and one word in the list. */
#ifndef LS_CLI_DATA_DATA_COMMAND_H
#define LS_CLI_DATA_DATA_COMMAND_H

#include "cli/command.h"

#define LS_DATA_COMMAND_LIST(X) X(import) X(info) X(preview)

#define LS_DATA_COMMAND_DECLARE(name) extern const ls_command ls_data_##name;
LS_DATA_COMMAND_LIST(LS_DATA_COMMAND_DECLARE)
#undef LS_DATA_COMMAND_DECLARE

#endif
