/* SPDX-License-Identifier: BSD-3-Clause */
/* What training shows while it runs. Lines are rendered into buffers of fixed size by pure functions, apart
 * from the code that writes them, so that they can be tested without a terminal. A bar is taken away by
 * blanks, not by escape sequences, which works on any terminal; and it leaves the last column free, where
 * some would wrap.
 */
#include "cli/train/training_display.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/clock.h"
#include "base/show.h"
#include "base/size.h"
#include "base/status.h"
#include "cli/print.h"
#include "cli/process/stop.h"

enum {
  FALLBACK_WIDTH = 80, /* columns, where the terminal does not say */
  LINE_BYTES = 256,
  FIELD_BYTES = 64,
  BAR_CELLS = 30,    /* most */
  BAR_MIN_CELLS = 5, /* a field goes before the bar gets shorter than this */
};

static const double redraw_s = 0.1;

/* The fields after the bar, in the order in which they are shown. */
enum { FIELD_LOSS, FIELD_ACCURACY, FIELD_SPEED, FIELD_LEFT, FIELD_COUNT };

/* In the order in which they are left out on a narrow terminal. */
static const size_t dispensable[FIELD_COUNT] = {FIELD_SPEED, FIELD_LEFT, FIELD_ACCURACY, FIELD_LOSS};

/* A line in a buffer of fixed size; what does not fit is cut. */
typedef struct line_buffer {
  char *chars;
  size_t size, length;
} line_buffer;

static void add(line_buffer *line, const char *fmt, ...) LS_PRINTF(2, 3);

static void add(line_buffer *line, const char *fmt, ...)
{
  va_list args;
  va_start(args, fmt);
  const size_t length = ls_show_into(line->chars + line->length, line->size - line->length, fmt, args);
  va_end(args);
  line->length = ls_size_min(line->length + length, line->size - 1);
}

/* "0:07", "12:30", "3:05:00" */
static void add_duration(line_buffer *line, double seconds)
{
  const unsigned long long s = (unsigned long long)(seconds + 0.5);
  if (s >= 3600)
    add(line, "%llu:%02llu:%02llu", s / 3600, s / 60 % 60, s % 60);
  else
    add(line, "%llu:%02llu", s / 60, s % 60);
}

static void add_learning_rate(line_buffer *line, double rate)
{
  add(line, rate >= 0.001 || rate == 0 ? "  lr %.4f" : "  lr %.2e", rate);
}

/* Labels that are values have no accuracy. */
static void add_result(line_buffer *line, const char *split, double loss, double accuracy)
{
  add(line, "  %sloss %.4f", split, loss);
  if (!isnan(accuracy)) add(line, "  %sacc %.2f %%", split, 100 * accuracy);
}

static void render_fields(char fields[FIELD_COUNT][FIELD_BYTES], const ls_display_step *step)
{
  line_buffer lines[FIELD_COUNT];
  for (size_t i = 0; i < FIELD_COUNT; i++) {
    lines[i] = (line_buffer){.chars = fields[i], .size = FIELD_BYTES};
    fields[i][0] = '\0';
  }
  add(&lines[FIELD_LOSS], "  loss %.4f", step->loss);
  if (!isnan(step->accuracy)) add(&lines[FIELD_ACCURACY], "  acc %5.2f %%", 100 * step->accuracy);
  add(&lines[FIELD_SPEED], "  %.0f samples/s", step->samples_per_second);
  const double longest_s = 1e7; /* beyond, and for NaN, an estimate says nothing */
  if (!(step->seconds_left >= 0 && step->seconds_left < longest_s)) return;
  add(&lines[FIELD_LEFT], "  ");
  add_duration(&lines[FIELD_LEFT], step->seconds_left);
  add(&lines[FIELD_LEFT], " left");
}

/* Empty fields until those that are left fit into `space` columns. Returns the columns that they take. */
static size_t fit_fields(char fields[FIELD_COUNT][FIELD_BYTES], size_t space)
{
  size_t used = 0;
  for (size_t i = 0; i < FIELD_COUNT; i++) used += strlen(fields[i]);
  for (size_t i = 0; i < FIELD_COUNT && used > space; i++) {
    used -= strlen(fields[dispensable[i]]);
    fields[dispensable[i]][0] = '\0';
  }
  return used;
}

/* How many of `whole` an epoch has done; all of them at most. */
static size_t share_of(size_t whole, const ls_display_step *step)
{
  if (step->steps == 0) return 0;
  return (size_t)(ls_size_min(step->step, step->steps) * whole / step->steps);
}

/* "[====>    ]" of `cells` cells. */
static void add_bar(line_buffer *line, size_t cells, const ls_display_step *step)
{
  const size_t full = share_of(cells, step);
  add(line, "[");
  for (size_t i = 0; i < cells; i++) add(line, "%c", i < full ? '=' : i == full ? '>' : ' ');
  add(line, "] ");
}

size_t ls_training_display_render_bar(char *line, size_t size, size_t width, uint64_t epochs,
                                      const ls_display_step *step)
{
  assert(size > 0 && width > 0);
  char percent[FIELD_BYTES];
  line_buffer percent_line = {.chars = percent, .size = sizeof percent};
  add(&percent_line, "%2zu %%", share_of(100, step));

  line_buffer out = {.chars = line,
                     .size = ls_size_min(size, width)}; /* the terminator takes the free column */
  add(&out, "epoch %llu/%llu ", (unsigned long long)step->epoch, (unsigned long long)epochs);
  const size_t brackets = strlen("[] ");
  const size_t fixed = out.length + percent_line.length + brackets;
  const size_t space = width - 1 > fixed ? width - 1 - fixed : 0; /* for fields and cells */
  char fields[FIELD_COUNT][FIELD_BYTES];
  render_fields(fields, step);
  const size_t used = fit_fields(fields, space > BAR_MIN_CELLS ? space - BAR_MIN_CELLS : 0);
  if (space > used) add_bar(&out, ls_size_min(space - used, BAR_CELLS), step);
  add(&out, "%s", percent);
  for (size_t i = 0; i < FIELD_COUNT; i++) add(&out, "%s", fields[i]);
  return out.length;
}

void ls_training_display_render_epoch(char *line, size_t size, uint64_t epochs, const ls_display_epoch *epoch)
{
  assert(size > 0);
  line_buffer out = {.chars = line, .size = size};
  const int digits = snprintf(NULL, 0, "%llu", (unsigned long long)epochs);
  add(&out, "epoch %*llu/%llu", digits, (unsigned long long)epoch->epoch, (unsigned long long)epochs);
  add_result(&out, "", epoch->loss, epoch->accuracy);
  if (epoch->validated) add_result(&out, "val ", epoch->validation_loss, epoch->validation_accuracy);
  add_learning_rate(&out, epoch->learning_rate);
  add(&out, "  %.0f samples/s  %.1f s", epoch->samples_per_second, epoch->seconds);
}

static size_t terminal_width(FILE *stream)
{
  struct winsize window;
  const int descriptor = fileno(stream);
  if (descriptor < 0 || ioctl(descriptor, TIOCGWINSZ, &window) != 0 || window.ws_col == 0)
    return FALLBACK_WIDTH;
  return window.ws_col;
}

void ls_training_display_step(ls_training_display *display, const ls_display_step *step)
{
  if (!display->terminal) return;
  const double now_s = ls_clock_s();
  if (now_s < display->due_s) return;
  display->due_s = now_s + redraw_s;
  char line[LINE_BYTES];
  const size_t width = ls_training_display_render_bar(line, sizeof line, terminal_width(display->stream),
                                                      display->epochs, step);
  const size_t blanks = display->drawn_width > width ? display->drawn_width - width : 0; /* of the last bar */
  ls_stop_set_bar(width + blanks);
  ls_print(display->stream, "\r%s%*s", line, (int)blanks, "");
  fflush(display->stream);
  display->drawn_width = width;
}

void ls_training_display_clear(ls_training_display *display)
{
  if (display->drawn_width == 0) return;
  ls_print(display->stream, "\r%*s\r", (int)display->drawn_width, "");
  fflush(display->stream);
  ls_stop_set_bar(0);
  display->drawn_width = 0;
  display->due_s = 0;
}

void ls_training_display_epoch(ls_training_display *display, const ls_display_epoch *epoch)
{
  char line[LINE_BYTES];
  ls_training_display_render_epoch(line, sizeof line, display->epochs, epoch);
  ls_training_display_clear(display);
  ls_print(display->stream, "%s%s\n", display->label, line);
  fflush(display->stream);
}
