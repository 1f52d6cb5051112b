/* SPDX-License-Identifier: BSD-3-Clause */
/* Drawn by hand: a line through some points needs no plotting program where the run is. */
#include "cli/chart.h"

#include <math.h>

#include "base/show.h"

enum { WIDTH = 560, HEIGHT = 360, EDGE = 56, TICKS = 5 };

static const double dot = 3, disk = 12; /* radii of a point of weight 0, and how much weight 1 adds */

/* A place in the picture; x and y are fractions of their axes. */
static double at_x(double x)
{
  return EDGE + x * (WIDTH - 2 * EDGE);
}

static double at_y(double y)
{
  return EDGE + (1.0 - y) * (HEIGHT - 2 * EDGE);
}

static void add_caption(ls_text *svg, int y, const char *text)
{
  ls_text_add(svg, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">", WIDTH / 2, y);
  ls_text_show_markup(svg, text);
  ls_text_add(svg, "</text>\n");
}

static void add_axes(const ls_chart *chart, ls_text *svg)
{
  for (int i = 0; i <= TICKS; i++) {
    const double at = (double)i / TICKS;
    ls_text_add(svg, "<path d=\"M%d %.1fH%d\" stroke=\"#ddd\"/>\n", EDGE, at_y(at), WIDTH - EDGE);
    ls_text_add(svg, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%d %%</text>\n", EDGE - 6, at_y(at) + 4,
                100 * i / TICKS);
    ls_text_add(svg, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.3g</text>\n", at_x(at),
                HEIGHT - EDGE + 18, at * chart->largest_x);
  }
  add_caption(svg, HEIGHT - 14, chart->x_label);
  add_caption(svg, 30, chart->title);
  if (chart->diagonal)
    ls_text_add(svg, "<path d=\"M%.1f %.1fL%.1f %.1f\" stroke=\"#888\" stroke-dasharray=\"4\"/>\n", at_x(0),
                at_y(0), at_x(1 / chart->largest_x), at_y(1));
}

static void add_points(const ls_chart *chart, ls_text *svg)
{
  ls_text_add(svg, "<polyline fill=\"none\" stroke=\"#b02018\" stroke-width=\"2\" points=\"");
  for (size_t i = 0; i < chart->count; i++)
    ls_text_add(svg, "%.1f,%.1f ", at_x(chart->points[i].x / chart->largest_x), at_y(chart->points[i].y));
  ls_text_add(svg, "\"/>\n");
  for (size_t i = 0; i < chart->count; i++) {
    const ls_chart_point *point = &chart->points[i];
    ls_text_add(svg, "<circle r=\"%.1f\" fill=\"#b02018\" fill-opacity=\"0.7\" cx=\"%.1f\" cy=\"%.1f\"/>\n",
                dot + disk * sqrt(point->weight), at_x(point->x / chart->largest_x), at_y(point->y));
  }
}

void ls_chart_svg(const ls_chart *chart, ls_text *svg)
{
  ls_text_add(svg,
              "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
              "font-family=\"sans-serif\" font-size=\"12\">\n"
              "<rect width=\"100%%\" height=\"100%%\" fill=\"#fafaf7\"/>\n",
              WIDTH, HEIGHT);
  add_axes(chart, svg);
  add_points(chart, svg);
  ls_text_add(svg, "</svg>\n");
}
