/* SPDX-License-Identifier: BSD-3-Clause */
/* Quantiles of measurements. */
#ifndef LS_BASE_QUANTILE_H
#define LS_BASE_QUANTILE_H

#include <stddef.h>

/** Sort `values` and return their quantile `q`, 0 to 1, interpolated linearly between two of them. count
 * >= 1. */
double ls_quantile(double *values, size_t count, double q);

#endif
