/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines through some points as an SVG picture, for result directories. */
#ifndef LS_DRAW_CHART_H
#define LS_DRAW_CHART_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

typedef struct ls_chart_point {
  double x, y;   /* x in [0, largest_x], y in [0, 1] */
  double weight; /* in [0, 1]: of its disk */
} ls_chart_point;

typedef struct ls_chart_line {
  const char *label;            /* in the legend; NULL: not there */
  const ls_chart_point *points; /* [count], by x */
  size_t count;
  bool is_dashed; /* shows another line that it lies on */
} ls_chart_line;

typedef struct ls_chart {
  const char *title, *x_label, *y_label;
  double largest_x;           /* positive */
  const ls_chart_line *lines; /* [count], each of another colour up to eight, dashed from there on */
  size_t count;
  bool diagonal; /* a thin line from (0, 0) to (1, 1), where the points would best be */
} ls_chart;

/** Append the picture; the y axis is in percent, and a legend stands below. */
void ls_chart_svg(const ls_chart *chart, ls_text *svg);

#endif
