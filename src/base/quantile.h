/* SPDX-License-Identifier: BSD-3-Clause */
/* Quantiles of measurements. */
#ifndef LS_BASE_QUANTILE_H
#define LS_BASE_QUANTILE_H

#include <stddef.h>

/** Sorts `values`, and returns the one that a fraction `q`, 0 to 1, of them is below, in between two of them
 * if need be. count >= 1. */
double ls_quantile(double *values, size_t count, double q);

#endif
