/* SPDX-License-Identifier: BSD-3-Clause */
/* Compiled with the flags of the build, and no code: a macro that is defined is 1, another one its own name.
 */
#include "cli/process/processor.h"

#define TEXT(x) #x
#define IS_USED(name, macro) sizeof(TEXT(macro)) == sizeof "1",

const bool ls_processor_uses[] = {LS_PROCESSOR_SETS(IS_USED)};
