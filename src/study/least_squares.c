/* SPDX-License-Identifier: BSD-3-Clause */
#include "study/least_squares.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { COLUMNS = LS_SQUARES_COLUMNS };

static const double LEAST_PIVOT = 1e-9; /* of columns with length 1: what is left of one beside the others */

/* Products of the columns, each scaled to length 1. */
typedef struct normal {
  double a[COLUMNS][COLUMNS], b[COLUMNS], lengths[COLUMNS];
} normal;

static void make_normal(const ls_squares_row *rows, size_t count, normal *out)
{
  memset(out, 0, sizeof *out);
  for (size_t r = 0; r < count; r++) {
    const double weight = 1.0 / (rows[r].scale * rows[r].scale);
    for (size_t i = 0; i < COLUMNS; i++) {
      out->b[i] += weight * rows[r].x[i] * rows[r].y;
      for (size_t j = 0; j < COLUMNS; j++) out->a[i][j] += weight * rows[r].x[i] * rows[r].x[j];
    }
  }
  for (size_t i = 0; i < COLUMNS; i++) out->lengths[i] = sqrt(out->a[i][i]);
  for (size_t i = 0; i < COLUMNS; i++) {
    if (out->lengths[i] > 0.0) out->b[i] /= out->lengths[i];
    for (size_t j = 0; j < COLUMNS; j++)
      if (out->a[i][j] != 0.0) out->a[i][j] /= out->lengths[i] * out->lengths[j];
  }
}

/* One column of Gauss-Jordan: the others are cleared of it. */
static void clear_column(normal *n, unsigned subset, size_t k)
{
  for (size_t i = 0; i < COLUMNS; i++) {
    if (i == k || !(subset >> i & 1)) continue;
    const double factor = n->a[i][k] / n->a[k][k];
    for (size_t j = 0; j < COLUMNS; j++) n->a[i][j] -= factor * n->a[k][j];
    n->b[i] -= factor * n->b[k];
  }
}

/* The columns of the subset; false if they hang together, or one would be negative. */
static bool solve(const normal *from, unsigned subset, double c[COLUMNS])
{
  normal n = *from;
  memset(c, 0, COLUMNS * sizeof *c);
  for (size_t k = 0; k < COLUMNS; k++) {
    if (!(subset >> k & 1)) continue;
    if (n.a[k][k] < LEAST_PIVOT) return false;
    clear_column(&n, subset, k);
  }
  for (size_t k = 0; k < COLUMNS; k++) {
    if (!(subset >> k & 1)) continue;
    c[k] = n.b[k] / (n.a[k][k] * n.lengths[k]);
    if (c[k] < 0.0) return false;
  }
  return true;
}

double ls_squares_value(const double coefficients[LS_SQUARES_COLUMNS], const double x[LS_SQUARES_COLUMNS])
{
  double sum = 0.0;
  for (size_t i = 0; i < COLUMNS; i++) sum += coefficients[i] * x[i];
  return sum;
}

void ls_squares_fit(const ls_squares_row *rows, size_t count, double coefficients[LS_SQUARES_COLUMNS])
{
  normal n;
  double best = INFINITY, c[COLUMNS];
  make_normal(rows, count, &n);
  memset(coefficients, 0, COLUMNS * sizeof *coefficients);
  for (unsigned subset = 0; subset < 1U << COLUMNS; subset++) {
    double error = 0.0;
    if (!solve(&n, subset, c)) continue;
    for (size_t r = 0; r < count; r++)
      error += pow((ls_squares_value(c, rows[r].x) - rows[r].y) / rows[r].scale, 2.0);
    if (error >= best) continue;
    best = error;
    memcpy(coefficients, c, sizeof c);
  }
}
