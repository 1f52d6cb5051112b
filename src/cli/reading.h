/* SPDX-License-Identifier: BSD-3-Clause */
/* How a dataset is read, as options of the subcommands that take no configuration. */
#ifndef LS_CLI_READING_H
#define LS_CLI_READING_H

struct argp;

/** --transpose and --first-label, to be a child of a subcommand's argp; its input is an ls_reading. */
extern const struct argp ls_reading_argp;

#endif
