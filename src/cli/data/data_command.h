/* SPDX-License-Identifier: BSD-3-Clause */
/* The words after `lockstep data`: one file each and one row of the table in cmd_data.c. */
#ifndef LS_CLI_DATA_DATA_COMMAND_H
#define LS_CLI_DATA_DATA_COMMAND_H

#include "cli/command.h"

extern const ls_command ls_data_import, ls_data_info, ls_data_preview;

#endif
