/* SPDX-License-Identifier: BSD-3-Clause */
/* A contact sheet: images in rows and columns. Each row has a name and a note on its left, columns may have
 * headings. */
#ifndef LS_DRAW_SHEET_H
#define LS_DRAW_SHEET_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "draw/canvas.h"

typedef struct ls_sheet_options {
  const char *title;
  size_t rows, columns;
  size_t channels, height, width; /* of an image */
  const char *const *names;       /* [rows] */
  const char *const *headings;    /* [columns]; the first column then stands apart. NULL: none */
  const char *longest_note;       /* of those that will be written: the notes' width */
} ls_sheet_options;

typedef struct ls_sheet {
  ls_picture picture;             /* owned */
  size_t channels, height, width; /* of an image */
  size_t scale;                   /* of the images */
  size_t label_width;             /* of names and notes */
  size_t first_gap;               /* between the first column and the others, beyond the usual */
  size_t heading_height;          /* 0: columns have no headings */
} ls_sheet;

/** Draw the title, the names, the headings and empty cells. Released with ls_picture_fini() of its picture.
 * Local. Errors: LS_E_MEMORY. */
ls_status ls_sheet_init(ls_sheet *sheet, const ls_sheet_options *options) LS_CHECKED;

/** Draw an image [channels, height, width] into its cell, enlarged. */
void ls_sheet_image(ls_sheet *sheet, size_t row, size_t column, const uint8_t *image);

/** Write a note below the name of a row. */
void ls_sheet_note(ls_sheet *sheet, size_t row, const char *note);

#endif
