/* SPDX-License-Identifier: BSD-3-Clause */
/* Least squares with coefficients that cannot be negative, as times cannot. */
#ifndef LS_STUDY_LEAST_SQUARES_H
#define LS_STUDY_LEAST_SQUARES_H

#include <stddef.h>

enum { LS_SQUARES_COLUMNS = 6 };

/** A measurement. */
typedef struct ls_squares_row {
  double x[LS_SQUARES_COLUMNS]; /* what the coefficients are of */
  double y;
  double scale; /* that an error counts against; above 0 */
} ls_squares_row;

/** The coefficients c >= 0 that minimize the sum of ((c x - y) / scale)^2. Columns that the rows do not
 * determine apart get 0.
 *
 * All subsets of the columns are tried, which is fast enough for six columns. Local. Cannot fail. */
void ls_squares_fit(const ls_squares_row *rows, size_t count, double coefficients[LS_SQUARES_COLUMNS]);

/** c x. */
double ls_squares_value(const double coefficients[LS_SQUARES_COLUMNS], const double x[LS_SQUARES_COLUMNS]);

#endif
