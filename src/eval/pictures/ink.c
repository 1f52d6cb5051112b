/* SPDX-License-Identifier: BSD-3-Clause */
/* Ink differs from the paper around it.
 *
 * 1. Of grey, red, green and blue that plane is taken in which details stand out most: blue ink and a red
 *    margin are then no longer alike, and yellow on white is seen at all.
 * 2. Where the border and most of the picture are of one end of its range, that is paper, and ink is of the
 * other. Else ink is dark if most of what is narrow is dark: closings against openings by squares of several
 * widths. That alone would take the hole of a bold 0 and the gaps between lines of print for ink.
 * 3. The level of the paper is a number where the border and most of the picture agree on it. Else it is the
 *    morphological opening (of ink as bright) by a square wider than strokes: what is narrower vanishes,
 * while gradients and shadows stay, with their edges (top-hat transform: Serra, Image Analysis and
 * Mathematical Morphology, 1982, chapter XII; for documents: Gonzalez and Woods, Digital Image
 * Processing, 9.6).
 * 4. Light multiplies: ink is the part of the paper's light that is missing. So it does not fade in a shadow.
 * 5. The grain of the paper is measured (median absolute deviation), and what is within it is no ink. */
#include "eval/pictures/ink.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"

enum { LEVELS = 256, SMOOTHED_SIDE = 64, WIDTHS = 5 };

static const float WHITE = 255.0F;
static const float MIN_CONTRAST = 8.0F / 255.0F; /* of the strongest ink */
static const float FAINT = 0.15F;                /* of the strongest ink: what is below is no stroke */
static const float GRAIN = 5.0F;                 /* standard deviations of the paper */
static const float EVEN = 0.12F;                 /* of the range of the picture: what paper may differ by */
static const double WINDOW = 0.125;              /* radius of the opening, in shorter sides */
static const double COLOUR_GAIN = 1.3;           /* by which a colour must stand out more than grey does */
static const float COVERED = 0.25F;              /* of the largest difference */
static const float AT_END = 1.0F / 3;            /* of the range of the picture: where paper is, not ink */
static const double MINORITY = 0.4;              /* of the picture */
static const double MUCH = 0.1;                  /* of what is narrow at any width */
static const double DECIDED = 0.5;               /* difference of dark and light details, of their sum */

static const float DEVIATION_OF_MEDIAN = 1.4826F; /* of a normal distribution */

/* One plane, and the same with what is wider than strokes taken away. */
typedef struct plane_view {
  size_t width, height, count; /* pixels */
  float *values, *detail;      /* owned */
} plane_view;

static ls_map map_of(const plane_view *view, float *values)
{
  return (ls_map){view->width, view->height, values};
}

static size_t smoothing(const plane_view *view)
{
  return ls_size_min(view->width, view->height) >= SMOOTHED_SIDE ? 1 : 0;
}

static size_t window_of(const plane_view *view)
{
  return ls_size_max((size_t)(WINDOW * (double)ls_size_min(view->width, view->height)), 1);
}

/* ---- 1, 2: plane and side ---- */

/* `plane`: 0 .. 2, or 3 for grey. */
static void fill_plane(const ls_planes *picture, size_t plane, float *values)
{
  const size_t count = picture->width * picture->height;
  for (size_t i = 0; i < count; i++) {
    const float colour[LS_RGB] = {picture->values[i], picture->values[count + i],
                                  picture->values[2 * count + i]};
    values[i] = plane == LS_RGB ? ls_grey_of(colour) : colour[plane];
  }
}

static ls_status find_detail(const plane_view *view)
{
  memcpy(view->detail, view->values, view->count * sizeof(float));
  LS_PASS(ls_map_blur(map_of(view, view->detail), 2 * window_of(view)));
  for (size_t i = 0; i < view->count; i++) view->detail[i] = view->values[i] - view->detail[i];
  return LS_OK;
}

static double mean_square(const plane_view *view)
{
  double sum = 0.0;
  for (size_t i = 0; i < view->count; i++) sum += (double)view->detail[i] * (double)view->detail[i];
  return sum / (double)view->count;
}

static ls_status choose_plane(const ls_planes *picture, plane_view *view)
{
  double most = 0.0;
  size_t chosen = LS_RGB;
  for (size_t plane = LS_RGB + 1; plane-- > 0;) {
    fill_plane(picture, plane, view->values);
    LS_PASS(ls_map_blur(map_of(view, view->values), smoothing(view)));
    LS_PASS(find_detail(view));
    const double contrast = sqrt(mean_square(view));
    const double needed = chosen == LS_RGB ? COLOUR_GAIN * most : most;
    if (plane != LS_RGB && contrast <= needed) continue;
    most = contrast;
    chosen = plane;
  }
  fill_plane(picture, chosen, view->values);
  return LS_OK;
}

/* The border's values, packed into `detail`, which is free for that. Returns their number. */
static size_t take_border(const plane_view *view, const float *values)
{
  size_t count = 0;
  for (size_t i = 0; i < view->count; i++)
    if (ls_is_border(i, view->width, view->height)) view->detail[count++] = values[i];
  return count;
}

/* What is narrower than a square, and darker or lighter than what is around it. */
typedef struct narrow {
  double power; /* sum of the squares of what the closing or opening takes away */
  double share; /* of the picture that it covers */
} narrow;

static ls_status measure_narrow(const plane_view *view, const float *values, size_t radius, bool is_dark,
                                narrow *out)
{
  const ls_map map = map_of(view, view->detail);
  memcpy(view->detail, values, view->count * sizeof *values);
  LS_PASS(is_dark ? ls_map_dilate(map, radius) : ls_map_erode(map, radius));
  LS_PASS(is_dark ? ls_map_erode(map, radius) : ls_map_dilate(map, radius));
  float most = 0.0F;
  for (size_t i = 0; i < view->count; i++) {
    view->detail[i] = fabsf(view->detail[i] - values[i]);
    most = fmaxf(most, view->detail[i]);
  }
  size_t covered = 0;
  *out = (narrow){.power = 0.0};
  for (size_t i = 0; i < view->count; i++) {
    out->power += (double)view->detail[i] * (double)view->detail[i];
    covered += view->detail[i] > COVERED * most;
  }
  out->share = (double)covered / (double)view->count;
  return LS_OK;
}

/* What is dark and what is light below one width. */
typedef struct sides {
  narrow dark, light;
} sides;

/* Ink is the minority: what covers more is no ink. */
static double power_of(narrow side)
{
  return side.share < MINORITY ? side.power : 0.0;
}

/* From -1, where what is narrow is light, to 1, where it is dark. */
static double compare(sides s)
{
  const double dark = power_of(s.dark), light = power_of(s.light);
  return dark + light > 0.0 ? (dark - light) / (dark + light) : 0.0;
}

/* The same of all that is narrow: bold ink may be the majority. */
static double balance(sides s)
{
  const double sum = s.dark.power + s.light.power;
  return sum > 0.0 ? (s.dark.power - s.light.power) / sum : 0.0;
}

/* Strokes are narrower than what they enclose: the least width at which there is much, and of one side, says
 * it. 0: none does. */
static double decide(const sides widths[WIDTHS])
{
  double most = 0.0;
  for (size_t i = 0; i < WIDTHS; i++)
    most = fmax(most, fmax(power_of(widths[i].dark), power_of(widths[i].light)));
  for (size_t i = 0; i < WIDTHS; i++) {
    const double power = power_of(widths[i].dark) + power_of(widths[i].light);
    if (power >= MUCH * most && fabs(compare(widths[i])) >= DECIDED) return compare(widths[i]);
  }
  return 0.0;
}

/* Where the border and most of the picture agree, that is paper: 1 where it is light, -1 where it is dark, 0
 * where they do not. */
static double find_paper_side(const plane_view *view, const float *values)
{
  const size_t border = take_border(view, values);
  const float low = ls_level_quantile(values, view->count, 0.0),
              range = ls_level_quantile(values, view->count, 1.0) - low;
  const float around = ls_level_quantile(view->detail, border, 0.5) - low,
              all = ls_level_quantile(values, view->count, 0.5) - low;
  if (fminf(around, all) > (1.0F - AT_END) * range) return 1.0;
  return fmaxf(around, all) < AT_END * range ? -1.0 : 0.0;
}

/* Is ink darker than paper? What paper is says it, unless what is narrow is nearly all on the other side, as
 * where the picture shows a small sheet on a table. Where paper is not known, the widths say it, and where
 * none does, the border is paper. */
static ls_status is_ink_dark(const plane_view *view, const float *values, bool *is_dark)
{
  sides widths[WIDTHS] = {{.dark = {.power = 0.0}}};
  size_t radius = window_of(view);
  for (size_t i = WIDTHS; i-- > 0 && radius > 0; radius /= 2) {
    LS_PASS(measure_narrow(view, values, radius, true, &widths[i].dark));
    LS_PASS(measure_narrow(view, values, radius, false, &widths[i].light));
  }
  const double side = find_paper_side(view, values), widest = balance(widths[WIDTHS - 1]);
  const double decision = fabs(side) > 0.0 && side * widest > -DECIDED ? side : decide(widths);
  *is_dark = decision > 0.0;
  if (decision > 0.0 || decision < 0.0) return LS_OK;
  const size_t border = take_border(view, values);
  const float low = ls_level_quantile(values, view->count, 0.0),
              high = ls_level_quantile(values, view->count, 1.0);
  *is_dark = ls_level_quantile(view->detail, border, 0.5) > (low + high) / 2.0F;
  return LS_OK;
}

/* ---- 3: paper ---- */

/* Do the border and the whole agree on one level of the paper? */
static bool is_even(const plane_view *view, const float *values, float *paper)
{
  const size_t border = take_border(view, values);
  *paper = ls_level_quantile(view->detail, border, 0.5);
  const float spread =
      ls_level_quantile(view->detail, border, 0.9) - ls_level_quantile(view->detail, border, 0.1);
  const float range =
      ls_level_quantile(values, view->count, 1.0) - ls_level_quantile(values, view->count, 0.0);
  const float all = ls_level_quantile(values, view->count, 0.5);
  return spread <= EVEN * range && fabsf(all - *paper) <= EVEN * range;
}

/* The level of the paper at every pixel of `smooth`, into `detail`. Where nothing is narrower than the
 * square, there is a blot on even paper. */
static ls_status find_paper(const plane_view *view, const float *smooth)
{
  float level, most = 0.0F;
  const bool has_level = is_even(view, smooth, &level);
  if (!has_level) {
    memcpy(view->detail, smooth, view->count * sizeof(float));
    LS_PASS(ls_map_erode(map_of(view, view->detail), window_of(view)));
    LS_PASS(ls_map_dilate(map_of(view, view->detail), window_of(view)));
    for (size_t i = 0; i < view->count; i++) most = fmaxf(most, smooth[i] - view->detail[i]);
  }
  for (size_t i = 0; i < view->count && most < MIN_CONTRAST * WHITE; i++) view->detail[i] = level;
  return LS_OK;
}

/* ---- 4, 5: ink ---- */

/* The part of the paper's light that is missing. `values` is the light that is missing of white. */
static void subtract_paper(const plane_view *view, float *values)
{
  for (size_t i = 0; i < view->count; i++)
    values[i] = (values[i] - view->detail[i]) / fmaxf(WHITE - view->detail[i], 1.0F);
}

/* Move the middle of the paper's grain to 0; what is below is none. */
static void centre(const plane_view *view, float *values)
{
  const float middle = ls_level_quantile(values, view->count, 0.5);
  for (size_t i = 0; i < view->count; i++) values[i] = fminf(fmaxf(values[i] - middle, 0.0F), 1.0F);
}

static float grain_of(const plane_view *view, const float *values)
{
  const float middle = ls_level_quantile(values, view->count, 0.5);
  for (size_t i = 0; i < view->count; i++) view->detail[i] = fabsf(values[i] - middle);
  return DEVIATION_OF_MEDIAN * ls_level_quantile(view->detail, view->count, 0.5);
}

static ls_status set_floor(const plane_view *view, ls_ink *out)
{
  const float grain = grain_of(view, out->smooth);
  centre(view, out->values);
  centre(view, out->smooth);
  const float strongest = ls_level_quantile(out->smooth, view->count, 1.0);
  if (strongest < MIN_CONTRAST) return ls_fail(LS_E_INPUT, "no ink found: nothing stands out from the paper");
  out->floor = fmaxf(FAINT * strongest, fmaxf(GRAIN * grain, MIN_CONTRAST / 2.0F));
  if (strongest <= out->floor)
    return ls_fail(LS_E_INPUT, "no ink found: nothing stands out from the grain of the paper");
  return LS_OK;
}

static ls_status find_ink(const ls_planes *picture, plane_view *view, ls_ink *out)
{
  LS_PASS(choose_plane(picture, view));
  bool is_dark;
  memcpy(out->smooth, view->values, view->count * sizeof *out->smooth);
  LS_PASS(ls_map_blur(map_of(view, out->smooth), smoothing(view)));
  LS_PASS(is_ink_dark(view, out->smooth, &is_dark));
  for (size_t i = 0; i < view->count; i++) {
    out->values[i] = is_dark ? WHITE - view->values[i] : view->values[i];
    if (is_dark) out->smooth[i] = WHITE - out->smooth[i];
  }
  LS_PASS(find_paper(view, out->smooth));
  subtract_paper(view, out->values);
  subtract_paper(view, out->smooth);
  return set_floor(view, out);
}

ls_status ls_ink_find(const ls_planes *picture, ls_ink *out)
{
  const size_t count = picture->width * picture->height;
  plane_view view = {.width = picture->width, .height = picture->height, .count = count};
  *out = (ls_ink){.width = picture->width, .height = picture->height};
  ls_status status;
  LS_GO(ls_alloc(&view.values, count, sizeof *view.values, "a plane"));
  LS_GO(ls_alloc(&view.detail, count, sizeof *view.detail, "a plane"));
  LS_GO(ls_alloc(&out->values, count, sizeof *out->values, "ink"));
  LS_GO(ls_alloc(&out->smooth, count, sizeof *out->smooth, "ink"));
  LS_GO(find_ink(picture, &view, out));
done:
  free(view.values);
  free(view.detail);
  if (status != LS_OK) ls_ink_fini(out);
  return status;
}

void ls_ink_fini(ls_ink *ink)
{
  free(ink->values);
  free(ink->smooth);
  *ink = (ls_ink){.values = NULL};
}

float ls_ink_level(const float *values, size_t count, float floor)
{
  double counts[LEVELS] = {0.0}, total = 0.0, sum = 0.0, below = 0.0, sum_below = 0.0, best = 0.0;
  float level = floor;
  for (size_t i = 0; i < count; i++) {
    if (!(values[i] > floor)) continue;
    const size_t bin = (size_t)(fminf(values[i], 1.0F) * (float)(LEVELS - 1));
    counts[bin] += 1.0;
    total += 1.0;
    sum += (double)bin;
  }
  for (size_t bin = 0; bin < LEVELS; bin++) {
    below += counts[bin];
    sum_below += counts[bin] * (double)bin;
    if (!(below > 0.0) || !(total - below > 0.0)) continue;
    const double apart = sum_below / below - (sum - sum_below) / (total - below);
    const double between = below * (total - below) * apart * apart;
    if (between <= best) continue;
    best = between;
    level = fmaxf(floor, (float)(bin + 1) / (float)(LEVELS - 1));
  }
  return level;
}
