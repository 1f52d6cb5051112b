/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether a person looks at standard output. */
#ifndef LS_CLI_TERMINAL_H
#define LS_CLI_TERMINAL_H

#include <stdbool.h>

/** Is standard output a terminal, also seen through mpirun? */
bool ls_on_terminal(void);

#endif
