/* SPDX-License-Identifier: BSD-3-Clause */
/* Training while it runs, for people: on a terminal a bar per epoch that is redrawn in place, then (and
 * elsewhere only) one plain line per epoch. */
#ifndef LS_CLI_TRAIN_TRAINING_DISPLAY_H
#define LS_CLI_TRAIN_TRAINING_DISPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/** Where training is within an epoch. */
typedef struct ls_display_step {
  uint64_t epoch;            /* from 1 */
  uint64_t step, steps;      /* steps done of the epoch, and its steps */
  double loss, accuracy;     /* mean over the epoch so far; accuracy as a fraction */
  double samples_per_second; /* of all ranks */
  double seconds_left;       /* of the epoch; negative: not known */
} ls_display_step;

/** How an epoch ended. */
typedef struct ls_display_epoch {
  uint64_t epoch; /* from 1 */
  double loss, accuracy;
  bool validated; /* the next two are valid */
  double validation_loss, validation_accuracy;
  double learning_rate; /* of its last step */
  double samples_per_second;
  double seconds; /* wall time */
} ls_display_epoch;

/** The display of a run. Rank 0 has one. The caller sets the first four members, and zero-initializes the
 * rest. */
typedef struct ls_training_display {
  FILE *stream;       /* borrowed; stdout */
  const char *label;  /* borrowed; put before the lines of epochs */
  uint64_t epochs;    /* of the run */
  bool terminal;      /* somebody looks at the stream (cli/print.h): draw bars */
  size_t drawn_width; /* columns of the bar that stands on the current line; 0: none */
  double due_s;       /* clock time before which no bar is drawn */
} ls_training_display;

/** Show a step. Draws at most ten times a second, and only on a terminal; otherwise returns at once. Never
 * allocates. Output is best effort: a terminal that went away does not end a run. */
void ls_training_display_step(ls_training_display *display, const ls_display_step *step);

/** Show the end of an epoch: a plain line replaces the bar. */
void ls_training_display_epoch(ls_training_display *display, const ls_display_epoch *epoch);

/** Take the bar away before something else is printed; the next step draws it again. */
void ls_training_display_clear(ls_training_display *display);

/** Render the bar for a line of `width` columns, of which it leaves the last one free. Fields go in the order
 * samples per second, time left, accuracy, loss where the terminal is too narrow. Returns the columns
 * written, below `width`; `line` holds `size` bytes and is terminated. */
size_t ls_training_display_render_bar(char *line, size_t size, size_t width, uint64_t epochs,
                                      const ls_display_step *step);

/** Render the plain line of an epoch, without the newline. */
void ls_training_display_render_epoch(char *line, size_t size, uint64_t epochs,
                                      const ls_display_epoch *epoch);

#endif
