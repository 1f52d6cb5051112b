/* SPDX-License-Identifier: BSD-3-Clause */
/* A build for the processor that made it (-march=native) may use instructions that an older one does not
 * have, and would end there by SIGILL without a message. */
#ifndef LS_CLI_PROCESS_PROCESSOR_H
#define LS_CLI_PROCESS_PROCESSOR_H

#include <stdbool.h>

/** Does this processor have the instructions that the build uses? If not, report it on standard error, with
 * no code but libc's and what is compiled for any processor of the architecture. Local. */
bool ls_processor_check(void);

#endif
