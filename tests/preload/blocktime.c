/* SPDX-License-Identifier: BSD-3-Clause */
/* Stands in for libomp's function of this name, which says how long threads spin: what it is called with is
 * written to the file LS_BLOCKTIME, a line each time. */
#include <stdio.h>
#include <stdlib.h>

void kmp_set_blocktime(int milliseconds);

void kmp_set_blocktime(int milliseconds)
{
  FILE *file = fopen(getenv("LS_BLOCKTIME"), "a");
  if (!file) abort();
  fprintf(file, "%d\n", milliseconds);
  if (fclose(file) != 0) abort();
}
