/* SPDX-License-Identifier: BSD-3-Clause */
/* The display of a pass over samples. The bar is redrawn ten times a second and fits into 79 columns. */
#include "cli/sample_display.h"

#include <string.h>

#include "base/clock.h"
#include "cli/print.h"
#include "cli/process/stop.h"

enum { CELLS = 30, QUARTERS = 4, COLUMNS = 79 };

static const double redraw_s = 0.1;

ls_sample_display ls_sample_display_of(FILE *stream, const char *what)
{
  return (ls_sample_display){
      .stream = stream, .what = what, .terminal = ls_on_terminal(stream), .started_s = ls_clock_s()};
}

static void draw_bar(ls_sample_display *display, size_t done, size_t total, double now_s)
{
  if (now_s < display->due_s) return;
  display->due_s = now_s + redraw_s;
  char bar[CELLS + 1];
  const size_t full = done * CELLS / total;
  for (size_t i = 0; i < CELLS; i++) bar[i] = i < full ? '=' : i == full ? '>' : ' ';
  bar[CELLS] = '\0';
  const double left_s = (now_s - display->started_s) * (double)(total - done) / (double)done;
  ls_stop_set_bar(COLUMNS);
  ls_print(display->stream, "\r%.24s [%s] %3zu %%  %.0f s left ", display->what, bar, done * 100 / total,
           left_s);
  fflush(display->stream);
  display->is_drawn = true;
}

static void tick(void *user, size_t done, size_t total)
{
  ls_sample_display *display = user;
  if (done == 0 || total == 0) return;
  if (display->terminal) {
    draw_bar(display, done, total, ls_clock_s());
    return;
  }
  if (done * QUARTERS / total <= display->quarters) return;
  display->quarters = done * QUARTERS / total;
  ls_print(display->stream, "%s: %zu of %zu samples\n", display->what, done, total);
  fflush(display->stream);
}

ls_ticker ls_sample_display_ticker(ls_sample_display *display)
{
  return (ls_ticker){.user = display, .tick = tick};
}

void ls_sample_display_finish(ls_sample_display *display)
{
  if (!display->is_drawn) return;
  ls_print(display->stream, "\r%*s\r", COLUMNS, "");
  fflush(display->stream);
  ls_stop_set_bar(0);
  display->is_drawn = false;
}
