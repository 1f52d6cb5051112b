/* SPDX-License-Identifier: BSD-3-Clause */
/* The form of pictures is a property of the data that a network was trained on: one row for each kind.
 * Clothes and photographs are scaled; from a picture of paper with a digit, only the digit is taken. */
#include "eval/pictures/intake.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "data/catalogue.h"
#include "data/augment/resample.h"
#include "eval/pictures/digit.h"
#include "eval/pictures/drawing.h"
#include "eval/pictures/photo.h"
#include "eval/pictures/planes.h"

enum { OVERSAMPLING = 8 /* pixels of a picture that are kept for one of the image */ };

typedef struct intake_row {
  const char *doc;
  ls_digit_layout layout; /* box 0: the picture is scaled as it is */
  bool is_photo;          /* ... by the filter and to the part that ImageNet's are */
} intake_row;

/* EMNIST: Cohen et al. 2017, section II. KMNIST and USPS: characters reach the image's sides. */
static const intake_row rows[] = {
    [LS_PICTURE_PLAIN] = {.doc = "the middle of each, scaled"},
    [LS_PICTURE_DIGIT] = {.doc = "ink cut out, scaled and centred as MNIST's digits",
                          .layout = {20.0 / 28.0, true}},
    [LS_PICTURE_LETTER] = {.doc = "ink cut out, scaled and centred as EMNIST's letters",
                           .layout = {24.0 / 28.0, false}},
    [LS_PICTURE_GLYPH] = {.doc = "ink cut out, scaled to the whole image", .layout = {1.0, false}},
    [LS_PICTURE_PHOTO] = {.doc = "the middle 7/8 of each, scaled as ImageNet's", .is_photo = true},
};

const char *ls_intake_doc(ls_picture_kind kind)
{
  return rows[kind].doc;
}

ls_status ls_intake_kind(const ls_checkpoint_info *info, ls_picture_kind *kind)
{
  *kind = LS_PICTURE_AUTO;
  if (info->picture[0])
    LS_TRY(ls_picture_find(info->picture, kind), "attribute /data@picture (--picture says it instead)");
  if (*kind == LS_PICTURE_AUTO) *kind = ls_catalogue_picture(info->dataset);
  return LS_OK;
}

/* ---- as it is ---- */

/* A rectangle of a picture. */
typedef struct rectangle {
  size_t x, y, width, height;
} rectangle;

/* The largest rectangle in the middle that has the image's proportions. */
static rectangle find_middle(const ls_planes *from, ls_shape shape)
{
  const double scale = fmin((double)from->width / (double)shape.w, (double)from->height / (double)shape.h);
  rectangle middle = {.width = ls_side_scaled(shape.w, scale, from->width),
                      .height = ls_side_scaled(shape.h, scale, from->height)};
  middle.x = (from->width - middle.width) / 2;
  middle.y = (from->height - middle.height) / 2;
  return middle;
}

static ls_status scale_planes(const ls_planes *from, rectangle cut, ls_shape shape, uint8_t *image)
{
  const size_t plane = shape.h * shape.w;
  float *scaled_plane;
  LS_PASS(ls_alloc(&scaled_plane, plane, sizeof *scaled_plane, "an image"));
  ls_status status = LS_OK;
  for (size_t c = 0; c < from->count && status == LS_OK; c++) {
    const ls_plane in = {.width = cut.width,
                         .height = cut.height,
                         .stride = from->width,
                         .pixels = from->values + (c * from->height + cut.y) * from->width + cut.x};
    status = ls_resample(in, shape.w, shape.h, scaled_plane);
    for (size_t i = 0; i < plane && status == LS_OK; i++)
      image[c * plane + i] = (uint8_t)(scaled_plane[i] + 0.5F);
  }
  free(scaled_plane);
  return status;
}

static ls_status take_pixels(const ls_rgba *picture, ls_shape shape, ls_intake_way way, uint8_t *image)
{
  const size_t spare = ls_size_min(picture->width / shape.w, picture->height / shape.h) / OVERSAMPLING;
  ls_planes all = {.values = NULL};
  ls_status status;
  const bool is_photo = rows[way.kind].is_photo && !way.whole; /* whose filter takes all pixels */
  LS_GO(ls_planes_take(picture, shape.c, is_photo ? 1 : ls_size_max(spare, 1), &all));
  const rectangle everything = {.width = all.width, .height = all.height};
  if (is_photo)
    LS_GO(ls_photo_take(&all, shape, image));
  else
    LS_GO(scale_planes(&all, way.whole ? everything : find_middle(&all, shape), shape, image));
done:
  ls_planes_fini(&all);
  return status;
}

/* ---- drawings ---- */

static void warn(const ls_drawing *drawing, ls_text *warnings)
{
  if (drawing->is_sheet)
    ls_text_add(warnings, "much of the picture was taken for ink: is it a drawing on paper?\n");
  if (drawing->others > 0)
    ls_text_add(warnings, "%zu other drawing%s of its size lie%s beside the one that was read\n",
                drawing->others, ls_plural(drawing->others), drawing->others == 1 ? "s" : "");
}

static ls_status take_drawing(const ls_rgba *picture, ls_shape shape, ls_digit_layout layout, uint8_t *image,
                              ls_text *warnings)
{
  if (ls_digit_is_made(picture, shape, layout, image)) return LS_OK;
  ls_drawing drawing;
  LS_PASS(ls_drawing_find(picture, &drawing));
  const ls_status status = ls_digit_lay(&drawing, shape, layout, image);
  warn(&drawing, warnings);
  ls_drawing_fini(&drawing);
  return status;
}

ls_status ls_intake(const ls_rgba *picture, ls_shape shape, ls_intake_way way, uint8_t *image,
                    ls_text *warnings)
{
  if (shape.c != 1 && shape.c != LS_RGB)
    return ls_fail(LS_E_INPUT, "the network takes images of %zu channels: pictures have 1 or 3", shape.c);
  const intake_row *row = &rows[way.kind];
  if (row->layout.box <= 0.0) return take_pixels(picture, shape, way, image);
  LS_PASS(take_drawing(picture, shape, row->layout, image, warnings));
  const size_t plane = shape.h * shape.w;
  for (size_t c = 1; c < shape.c; c++) memcpy(image + c * plane, image, plane);
  return LS_OK;
}
