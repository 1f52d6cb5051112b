/* SPDX-License-Identifier: BSD-3-Clause */
#include "draw/sheet.h"

#include <string.h>

#include "base/size.h"
#include "draw/font.h"

enum {
  MARGIN = 12,
  GAP = 4,         /* between images */
  NAME_GAP = 12,   /* between names and images */
  IMAGE_SIDE = 72, /* images are enlarged by a whole number to about this */
  TEXT_LINE = LS_TEXT_SCALE * LS_GLYPH_HEIGHT,
  TITLE_HEIGHT = TEXT_LINE + 14,
  HEADING_HEIGHT = LS_GLYPH_HEIGHT + 6, /* headings have small letters */
  LINE_GAP = 6,                         /* between a name and the note below it */
  LABEL_HEIGHT = 2 * TEXT_LINE + LINE_GAP
};

static const uint8_t empty_cell[LS_RGB] = {232, 232, 228};

static size_t cell_height(const ls_sheet *sheet)
{
  return sheet->height * sheet->scale;
}

static size_t row_height(const ls_sheet *sheet)
{
  return ls_size_max(cell_height(sheet), LABEL_HEIGHT) + GAP;
}

static ls_point cell_at(const ls_sheet *sheet, size_t row, size_t column)
{
  const size_t column_width = sheet->width * sheet->scale + GAP;
  return (ls_point){MARGIN + sheet->label_width + NAME_GAP + (column > 0 ? sheet->first_gap : 0) +
                        column * column_width,
                    MARGIN + TITLE_HEIGHT + sheet->heading_height + row * row_height(sheet)};
}

static void draw_frame(ls_sheet *sheet, const ls_sheet_options *options)
{
  ls_picture *picture = &sheet->picture;
  ls_canvas_text(picture, (ls_point){MARGIN, MARGIN}, options->title, LS_TEXT_SCALE, ls_ink);
  for (size_t row = 0; row < options->rows; row++) {
    ls_point at = {MARGIN, cell_at(sheet, row, 0).y + (row_height(sheet) - GAP - LABEL_HEIGHT) / 2};
    ls_canvas_text(picture, at, options->names[row], LS_TEXT_SCALE, ls_ink);
    for (size_t column = 0; column < options->columns; column++)
      ls_canvas_fill(picture, cell_at(sheet, row, column), sheet->width * sheet->scale, cell_height(sheet),
                     empty_cell);
  }
  for (size_t column = 0; options->headings && column < options->columns; column++) {
    ls_point at = cell_at(sheet, 0, column);
    at.y -= sheet->heading_height;
    ls_canvas_text(picture, at, options->headings[column], 1, ls_faint_ink);
  }
}

ls_status ls_sheet_init(ls_sheet *sheet, const ls_sheet_options *options)
{
  const size_t side = ls_size_max(options->height, options->width);
  size_t longest = strlen(options->longest_note);
  for (size_t row = 0; row < options->rows; row++)
    longest = ls_size_max(longest, strlen(options->names[row]));
  *sheet = (ls_sheet){.channels = options->channels,
                      .height = options->height,
                      .width = options->width,
                      .scale = ls_size_max((IMAGE_SIDE + side / 2) / side, 1),
                      .label_width = ls_text_width(longest),
                      .first_gap = options->headings ? NAME_GAP : 0,
                      .heading_height = options->headings ? HEADING_HEIGHT : 0};
  const ls_point end = cell_at(sheet, options->rows, options->columns);
  const size_t title_end = MARGIN + ls_text_width(strlen(options->title));
  LS_PASS(ls_picture_init(&sheet->picture, ls_size_max(end.x - GAP, title_end) + MARGIN, end.y - GAP + MARGIN,
                          ls_paper));
  draw_frame(sheet, options);
  return LS_OK;
}

void ls_sheet_image(ls_sheet *sheet, size_t row, size_t column, const uint8_t *image)
{
  ls_canvas_image(&sheet->picture, cell_at(sheet, row, column), sheet->scale,
                  (ls_pixels){sheet->channels, sheet->height, sheet->width, image});
}

void ls_sheet_note(ls_sheet *sheet, size_t row, const char *note)
{
  const size_t top = cell_at(sheet, row, 0).y + (row_height(sheet) - GAP - LABEL_HEIGHT) / 2;
  ls_canvas_text(&sheet->picture, (ls_point){MARGIN, top + TEXT_LINE + LINE_GAP}, note, LS_TEXT_SCALE,
                 ls_faint_ink);
}
