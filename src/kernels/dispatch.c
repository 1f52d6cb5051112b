/* SPDX-License-Identifier: BSD-3-Clause */
/* Compiled for any processor of the architecture (src/CMakeLists.txt), because it runs before the processor
 * is known. */
#include "kernels/dispatch.h"

#include "kernels/simd.h"

#define DECLARE(set) extern const ls_kernel_set ls_kernels_##set;
LS_KERNEL_SETS(DECLARE)

#define ROW(set) &ls_kernels_##set,
static const ls_kernel_set *const sets[] = {LS_KERNEL_SETS(ROW)};

/* The instruction sets of this processor: bits as in ls_kernel_set.needs. */
static uint64_t find_instructions(void)
{
  uint64_t found = 0;
#define FIND(id, name, macro) found |= (uint64_t)(__builtin_cpu_supports(name) != 0) << LS_INSTRUCTIONS_##id;
  LS_INSTRUCTION_SETS(FIND)
  return found;
}

const ls_kernel_set *ls_kernel_set_choose(void)
{
  const uint64_t found = find_instructions();
  const ls_kernel_set *best = sets[0];
  for (size_t i = 1; i < sizeof sets / sizeof *sets; i++)
    if ((sets[i]->needs & ~found) == 0 && sets[i]->lanes > best->lanes) best = sets[i];
  return best;
}

const char *ls_kernel_set_missing(void)
{
#define NAME(id, name, macro) name,
  static const char *const names[] = {LS_INSTRUCTION_SETS(NAME) NULL};
  const uint64_t missing = sets[0]->needs & ~find_instructions();
  size_t i = 0;
  while (names[i] && !(missing >> i & 1)) i++;
  return names[i];
}
