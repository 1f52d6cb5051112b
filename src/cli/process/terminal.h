/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether a person looks at an output stream. */
#ifndef LS_CLI_PROCESS_TERMINAL_H
#define LS_CLI_PROCESS_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

/** Is standard output or standard error a terminal, also seen through mpirun? */
bool ls_on_terminal(FILE *stream);

#endif
