/* SPDX-License-Identifier: BSD-3-Clause */
/* How far a pass over the samples of a dataset is, for people: on a terminal a bar that is redrawn in place,
 * elsewhere a plain line per quarter. */
#ifndef LS_CLI_SAMPLE_DISPLAY_H
#define LS_CLI_SAMPLE_DISPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "data/ticker.h"

/** The caller's storage. Rank 0 has one. */
typedef struct ls_sample_display {
  FILE *stream;     /* borrowed */
  const char *what; /* "importing mnist"; borrowed */
  bool terminal;    /* the stream is one: draw a bar */
  bool is_drawn;    /* a bar stands on the current line */
  size_t quarters;  /* reported so far */
  double started_s, due_s;
} ls_sample_display;

/** Output is best effort: a terminal that went away does not end the work. */
ls_sample_display ls_sample_display_of(FILE *stream, const char *what);

/** The ticker that feeds a display; valid as long as that. */
ls_ticker ls_sample_display_ticker(ls_sample_display *display);

/** Take the bar away. */
void ls_sample_display_finish(ls_sample_display *display);

#endif
