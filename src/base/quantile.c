/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/quantile.h"

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

double ls_quantile(double *values, size_t count, double q)
{
  qsort(values, count, sizeof *values, compare);
  const double position = q * (double)(count - 1);
  const size_t below = (size_t)position;
  if (below + 1 >= count) return values[count - 1];
  return values[below] + (position - (double)below) * (values[below + 1] - values[below]);
}
