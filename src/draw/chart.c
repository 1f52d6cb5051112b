/* SPDX-License-Identifier: BSD-3-Clause */
/* Writes SVG directly: lines through some points need no plotting library. */
#include "draw/chart.h"

#include <math.h>

#include "base/show.h"

enum { WIDTH = 560, HEIGHT = 360, EDGE = 56, TICKS = 5, ROW = 18, SAMPLE = 28, LABEL_COLUMNS = 64 };

/* Colours that people with colour blindness can distinguish, too (after Okabe and Ito). */
static const char *const colours[] = {"#b02018", "#0072b2", "#e69f00", "#009e73",
                                      "#7b3fa0", "#56b4e9", "#555555", "#cc79a7"};
enum { COLOURS = sizeof colours / sizeof *colours };

static const double dot = 3, disk = 12; /* radii of a point of weight 0, and how much weight 1 adds */

/* A point's position in the picture; x and y are fractions of their axes. */
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
  ls_text_add(svg, "<text transform=\"translate(14 %d) rotate(-90)\" text-anchor=\"middle\">", HEIGHT / 2);
  ls_text_show_markup(svg, chart->y_label);
  ls_text_add(svg, "</text>\n");
  if (chart->diagonal)
    ls_text_add(svg, "<path d=\"M%.1f %.1fL%.1f %.1f\" stroke=\"#888\" stroke-dasharray=\"4\"/>\n", at_x(0),
                at_y(0), at_x(1 / chart->largest_x), at_y(1));
}

static void add_stroke(const ls_chart_line *line, size_t i, ls_text *svg)
{
  ls_text_add(svg, " fill=\"none\" stroke=\"%s\" stroke-width=\"2\"%s", colours[i % COLOURS],
              line->is_dashed || i >= COLOURS ? " stroke-dasharray=\"6 5\"" : "");
}

static void add_line(const ls_chart *chart, size_t i, ls_text *svg)
{
  const ls_chart_line *line = &chart->lines[i];
  ls_text_add(svg, "<polyline");
  add_stroke(line, i, svg);
  ls_text_add(svg, " points=\"");
  for (size_t p = 0; p < line->count; p++)
    ls_text_add(svg, "%.1f,%.1f ", at_x(line->points[p].x / chart->largest_x), at_y(line->points[p].y));
  ls_text_add(svg, "\"/>\n");
  for (size_t p = 0; p < line->count; p++) {
    const ls_chart_point *point = &line->points[p];
    ls_text_add(svg, "<circle r=\"%.1f\" fill=\"%s\" fill-opacity=\"0.7\" cx=\"%.1f\" cy=\"%.1f\"/>\n",
                dot + disk * sqrt(point->weight), colours[i % COLOURS], at_x(point->x / chart->largest_x),
                at_y(point->y));
  }
}

/* One row of the legend; of a label that is too long, the end. */
static void add_label(const ls_chart *chart, size_t i, ls_text *svg)
{
  const ls_chart_line *line = &chart->lines[i];
  const int y = HEIGHT + ROW * (int)i;
  ls_text_add(svg, "<path d=\"M%d %dh%d\"", EDGE, y, SAMPLE);
  add_stroke(line, i, svg);
  ls_text_add(svg, "/>\n<text x=\"%d\" y=\"%d\">", EDGE + SAMPLE + 8, y + 4);
  const bool is_cut = ls_shown_columns(line->label) > LABEL_COLUMNS;
  ls_text_add(svg, "%s", is_cut ? "..." : "");
  ls_text_show_markup(svg, is_cut ? ls_shown_end(line->label, LABEL_COLUMNS - 3) : line->label);
  ls_text_add(svg, "</text>\n");
}

void ls_chart_svg(const ls_chart *chart, ls_text *svg)
{
  const bool has_legend = chart->count > 0 && chart->lines[0].label;
  ls_text_add(svg,
              "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%zu\" "
              "font-family=\"sans-serif\" font-size=\"12\">\n"
              "<rect width=\"100%%\" height=\"100%%\" fill=\"#fafaf7\"/>\n",
              WIDTH, HEIGHT + (has_legend ? ROW * chart->count : 0));
  add_axes(chart, svg);
  for (size_t i = 0; i < chart->count; i++) add_line(chart, i, svg);
  for (size_t i = 0; has_legend && i < chart->count; i++) add_label(chart, i, svg);
  ls_text_add(svg, "</svg>\n");
}
