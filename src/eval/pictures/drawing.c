/* SPDX-License-Identifier: BSD-3-Clause */
/* From ink to strokes, and from strokes to the drawing.
 *
 * 1. The picture is reduced to about 640 x 640 pixels, which bounds time and memory.
 * 2. Ruled lines, frames, and what lies along the border or reaches from one to the opposite one (a table's
 *    edge, a shadow) are taken away; unless nothing is left then.
 * 3. A threshold between strokes and what is fainter (Otsu), with hysteresis.
 * 4. The part with most ink is the drawing, with the parts near it that are too large for specks and too
 * small for drawings of their own: the bar of a 5.
 * 5. The choice is checked: where it is an area rather than strokes, no drawing was found.
 * 6. Thin strokes are made as thick as the thinner ones of MNIST, before scaling fades them. */
#include "eval/pictures/drawing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "eval/pictures/ink.h"
#include "eval/pictures/ruled_lines.h"
#include "eval/pictures/strokes.h"

enum { HALO = 2 /* pixels around a stroke that its soft edge may reach */ };

static const double MOST_PIXELS = 640.0 * 640.0;
static const float WEAK = 0.6F;         /* of the threshold: where strokes go on */
static const double MIN_DRAWING = 0.06; /* of the picture's shorter side */
static const double ENCLOSED = 0.2;     /* of a frame's height */
static const double ALONG_BORDER = 0.3; /* of the picture's shorter side */
static const double FLAT = 0.25;        /* of the picture's side across a bar */
static const double MIN_FREE = 0.2;     /* of the picture's shorter side */
static const double MUCH_INK = 0.2;     /* of the picture */
static const double MUCH_BORDER = 0.25; /* of the picture's border */
static const double THICK = 0.3;        /* of the drawing's longer side: no stroke of a pen */
static const double MIN_STROKE = 0.07;  /* thickness, of the drawing's longer side */
static const double PART_MASS = 0.03;   /* of the main part */
static const double NEAR = 0.12;        /* of the main part's size */
static const double FAR_MASS = 0.06, FAR = 0.3;
static const double OWN_HEIGHT = 0.6, OWN_MASS = 0.25,
                    APART = 0.06; /* of the main part: a drawing of its own */

static size_t shorter_side(const ls_ink *ink)
{
  return ls_size_min(ink->width, ink->height);
}

static bool is_along_border(const ls_ink *ink, const ls_stroke *stroke)
{
  return (double)stroke->contact > ALONG_BORDER * (double)shorter_side(ink);
}

static bool is_large(const ls_ink *ink, const ls_stroke *stroke)
{
  return (double)ls_stroke_size(stroke) >= MIN_DRAWING * (double)shorter_side(ink);
}

/* A bar from border to border, too thick for a ruled line. */
static bool is_bar(const ls_ink *ink, const ls_stroke *stroke)
{
  const bool is_level = stroke->left == 0 && stroke->right == ink->width,
             is_upright = stroke->top == 0 && stroke->bottom == ink->height;
  return (is_level && (double)ls_stroke_height(stroke) < FLAT * (double)ink->height) ||
         (is_upright && (double)ls_stroke_width(stroke) < FLAT * (double)ink->width);
}

/* A drawing in the midst of the paper. Beside what is smaller, a bar may be a 1 that fills its picture; in a
 * picture without margins it may be the bar of a 5. */
static bool is_free(const ls_ink *ink, const ls_stroke *stroke)
{
  return stroke->contact == 0 && (double)ls_stroke_size(stroke) >= MIN_FREE * (double)shorter_side(ink);
}

/* ---- 2: what is no drawing ---- */

static void erase_stroke(ls_ink *ink, const ls_strokes *strokes, const ls_stroke *stroke)
{
  for (size_t i = 0; i < ink->width * ink->height; i++)
    if (strokes->labels[i] == stroke->label) ink->values[i] = ink->smooth[i] = 0.0F;
}

/* For what is tried and may have to be undone. `spare` [2, height, width]: values and smooth. */
static void save(const ls_ink *ink, float *spare)
{
  const size_t count = ink->width * ink->height;
  memcpy(spare, ink->values, count * sizeof *spare);
  memcpy(spare + count, ink->smooth, count * sizeof *spare);
}

static void restore(ls_ink *ink, const float *spare)
{
  const size_t count = ink->width * ink->height;
  memcpy(ink->values, spare, count * sizeof *spare);
  memcpy(ink->smooth, spare + count, count * sizeof *spare);
}

/* Is there a drawing in a rectangle, of which frame and lines are gone? The bar in the middle of an angular 8
 * is none. */
static bool encloses(const ls_ink *ink, const ls_stroke *frame)
{
  size_t top = frame->bottom, bottom = frame->top;
  for (size_t y = frame->top; y < frame->bottom; y++)
    for (size_t x = frame->left; x < frame->right; x++) {
      if (!(ink->smooth[y * ink->width + x] > ink->floor)) continue;
      top = ls_size_min(top, y);
      bottom = ls_size_max(bottom, y + 1);
    }
  return bottom > top && (double)(bottom - top) >= ENCLOSED * (double)ls_stroke_height(frame);
}

static ls_status remove_frames(ls_ink *ink, float *spare)
{
  ls_strokes strokes;
  LS_PASS(ls_strokes_find(ink, ink->floor, ink->floor, &strokes));
  ls_status status = LS_OK;
  for (size_t i = 0; i < strokes.count && status == LS_OK; i++) {
    bool is_one = false;
    if (!is_large(ink, &strokes.list[i])) continue;
    save(ink, spare);
    status = ls_ruled_frame_remove(ink, &strokes, &strokes.list[i], &is_one);
    if (!is_one || !encloses(ink, &strokes.list[i])) restore(ink, spare);
  }
  ls_strokes_fini(&strokes);
  return status;
}

static ls_status remove_borders(ls_ink *ink)
{
  ls_strokes strokes;
  LS_PASS(ls_strokes_find(ink, ink->floor, ink->floor, &strokes));
  bool has_inner = false, has_free = false;
  for (size_t i = 0; i < strokes.count; i++) {
    has_inner |= is_large(ink, &strokes.list[i]) && !is_along_border(ink, &strokes.list[i]);
    has_free |= is_free(ink, &strokes.list[i]);
  }
  for (size_t i = 0; i < strokes.count; i++)
    if ((has_inner && is_along_border(ink, &strokes.list[i])) || (has_free && is_bar(ink, &strokes.list[i])))
      erase_stroke(ink, &strokes, &strokes.list[i]);
  ls_strokes_fini(&strokes);
  return LS_OK;
}

/* ---- 3, 4: strokes ---- */

static ls_status find_strokes(const ls_ink *ink, ls_strokes *out)
{
  const float strong = ls_ink_level(ink->smooth, ink->width * ink->height, ink->floor);
  return ls_strokes_find(ink, strong, fmaxf(WEAK * strong, ink->floor), out);
}

static const ls_stroke *find_main(const ls_strokes *strokes)
{
  const ls_stroke *most = NULL;
  for (size_t i = 0; i < strokes->count; i++)
    if (!most || strokes->list[i].mass > most->mass) most = &strokes->list[i];
  return most;
}

static size_t gap(size_t first, size_t end, size_t other_first, size_t other_end)
{
  if (other_first > end) return other_first - end;
  return first > other_end ? first - other_end : 0;
}

/* A drawing of its own beside the main part, rather than a part of the same. */
static bool is_own(const ls_stroke *main_part, const ls_stroke *stroke)
{
  const double tall = (double)ls_stroke_height(stroke) / (double)ls_stroke_height(main_part);
  return tall >= OWN_HEIGHT && stroke->mass >= OWN_MASS * main_part->mass &&
         (double)gap(main_part->left, main_part->right, stroke->left, stroke->right) >
             APART * (double)ls_stroke_size(main_part);
}

/* `whole`: the rectangle of what belongs to the drawing so far. */
static bool is_part(const ls_stroke *main_part, const ls_stroke *whole, const ls_stroke *stroke)
{
  const size_t wide = gap(whole->left, whole->right, stroke->left, stroke->right),
               high = gap(whole->top, whole->bottom, stroke->top, stroke->bottom);
  const double away = (double)ls_size_max(wide, high) / (double)ls_stroke_size(main_part);
  const double mass = stroke->mass / main_part->mass;
  return !is_own(main_part, stroke) &&
         ((mass >= PART_MASS && away <= NEAR) || (mass >= FAR_MASS && away <= FAR));
}

static void join(ls_stroke *whole, const ls_stroke *stroke)
{
  whole->left = ls_size_min(whole->left, stroke->left);
  whole->top = ls_size_min(whole->top, stroke->top);
  whole->right = ls_size_max(whole->right, stroke->right);
  whole->bottom = ls_size_max(whole->bottom, stroke->bottom);
}

/* Which strokes belong to the drawing, and the rectangle around them. */
typedef struct choice {
  bool is_chosen[LS_MOST_STROKES];
  ls_stroke whole;
  size_t others;
} choice;

static void choose(const ls_strokes *strokes, const ls_stroke *main_part, choice *out)
{
  *out = (choice){.whole = *main_part};
  out->is_chosen[main_part - strokes->list] = true;
  for (bool has_grown = true; has_grown;) {
    has_grown = false;
    for (size_t i = 0; i < strokes->count; i++) {
      if (out->is_chosen[i] || !is_part(main_part, &out->whole, &strokes->list[i])) continue;
      out->is_chosen[i] = has_grown = true;
      join(&out->whole, &strokes->list[i]);
    }
  }
  for (size_t i = 0; i < strokes->count; i++)
    out->others += !out->is_chosen[i] && is_own(main_part, &strokes->list[i]);
}

/* ---- cutting out ---- */

/* 1 where a pixel is a chosen stroke's or beside one, else 0: into `mask`. */
static ls_status mask_strokes(const ls_strokes *strokes, const choice *chosen, ls_map mask)
{
  for (size_t i = 0; i < mask.width * mask.height; i++) {
    mask.values[i] = 0.0F;
    for (size_t k = 0; k < strokes->count && strokes->labels[i] != 0; k++)
      if (chosen->is_chosen[k] && strokes->list[k].label == strokes->labels[i]) mask.values[i] = 1.0F;
  }
  return ls_map_dilate(mask, HALO);
}

/* Mean thickness of strokes: twice their area by their outline, which is longer in squares than it is. */
static double thickness_of(const ls_strokes *strokes, const choice *chosen)
{
  size_t area = 0, edges = 0;
  const size_t width = strokes->width;
  for (size_t y = chosen->whole.top; y < chosen->whole.bottom; y++)
    for (size_t x = chosen->whole.left; x < chosen->whole.right; x++) {
      const uint32_t *label = strokes->labels + y * width + x;
      if (*label == 0) continue;
      area++;
      edges += x == 0 || label[-1] == 0;
      edges += x + 1 == width || label[1] == 0;
      edges += y == 0 || *(label - width) == 0;
      edges += y + 1 == strokes->height || label[width] == 0;
    }
  return edges > 0 ? 2.0 * (double)area / (0.785 * (double)edges) : 0.0;
}

/* Has the sheet become ink, or an area on it? Strokes that cover much of a picture are thin for their size,
 * and touch its border here and there. */
static bool is_sheet(const ls_ink *ink, const ls_strokes *strokes, const choice *chosen)
{
  size_t area = 0, contact = 0;
  for (size_t i = 0; i < strokes->count; i++) {
    if (!chosen->is_chosen[i]) continue;
    area += strokes->list[i].area;
    contact += strokes->list[i].contact;
  }
  const double border = 2.0 * (double)(ink->width + ink->height),
               size = (double)ls_stroke_size(&chosen->whole);
  return (double)area > MUCH_INK * (double)(ink->width * ink->height) &&
         ((double)contact > MUCH_BORDER * border || thickness_of(strokes, chosen) > THICK * size);
}

/* Pixels by which thin strokes have to grow on each side. */
static size_t growth_of(const ls_strokes *strokes, const choice *chosen)
{
  const double lacking = MIN_STROKE * (double)ls_stroke_size(&chosen->whole) - thickness_of(strokes, chosen);
  return lacking > 1.0 ? (size_t)llround(lacking / 2.0) : 0;
}

static ls_status cut(const ls_ink *ink, const ls_stroke *whole, const float *mask, size_t margin,
                     ls_drawing *out)
{
  const size_t left = whole->left > margin ? whole->left - margin : 0,
               top = whole->top > margin ? whole->top - margin : 0;
  out->width = ls_size_min(whole->right + margin, ink->width) - left;
  out->height = ls_size_min(whole->bottom + margin, ink->height) - top;
  LS_PASS(ls_alloc(&out->ink, out->width * out->height, sizeof *out->ink, "a drawing"));
  for (size_t i = 0; i < out->width * out->height; i++) {
    const size_t from = (top + i / out->width) * ink->width + left + i % out->width;
    const float value = ink->values[from];
    out->ink[i] = mask[from] > 0.0F && value > ink->floor / 2.0F ? value : 0.0F;
  }
  return ls_map_dilate((ls_map){out->width, out->height, out->ink}, margin);
}

static ls_status cut_out(const ls_ink *ink, const ls_strokes *strokes, const ls_stroke *main_part,
                         ls_drawing *out)
{
  choice chosen;
  choose(strokes, main_part, &chosen);
  *out = (ls_drawing){.others = chosen.others, .is_sheet = is_sheet(ink, strokes, &chosen)};
  ls_map mask = {.width = ink->width, .height = ink->height};
  LS_PASS(ls_alloc(&mask.values, mask.width * mask.height, sizeof *mask.values, "a drawing"));
  ls_status status = mask_strokes(strokes, &chosen, mask);
  if (status == LS_OK) status = cut(ink, &chosen.whole, mask.values, growth_of(strokes, &chosen), out);
  free(mask.values);
  return status;
}

/* ---- the whole ---- */

/* Strokes without what is no drawing; with it, if nothing is left then. `spare` [4, height, width]. */
static ls_status clean(ls_ink *ink, float *spare, ls_strokes *out)
{
  save(ink, spare);
  LS_PASS(remove_frames(ink, spare + 2 * ink->width * ink->height));
  LS_PASS(ls_ruled_lines_remove(ink));
  LS_PASS(remove_borders(ink));
  LS_PASS(find_strokes(ink, out));
  const ls_stroke *main_part = find_main(out);
  if (main_part && is_large(ink, main_part)) return LS_OK;
  ls_strokes_fini(out);
  restore(ink, spare);
  return find_strokes(ink, out);
}

static ls_status find_drawing(ls_ink *ink, ls_drawing *out)
{
  float *spare;
  ls_strokes strokes = {.labels = NULL};
  LS_PASS(ls_alloc(&spare, 4 * ink->width * ink->height, sizeof *spare, "ink"));
  ls_status status;
  LS_GO(clean(ink, spare, &strokes));
  const ls_stroke *main_part = find_main(&strokes);
  if (main_part)
    LS_GO(cut_out(ink, &strokes, main_part, out));
  else
    LS_GO(ls_fail(LS_E_INPUT, "no ink found: the picture shows no stroke"));
done:
  ls_strokes_fini(&strokes);
  free(spare);
  return status;
}

ls_status ls_drawing_find(const ls_rgba *picture, ls_drawing *out)
{
  const double pixels = (double)picture->width * (double)picture->height;
  const size_t reduction = (size_t)ceil(sqrt(fmax(pixels / MOST_PIXELS, 1.0)));
  ls_planes planes = {.values = NULL};
  ls_ink ink = {.values = NULL};
  *out = (ls_drawing){.ink = NULL};
  ls_status status;
  LS_GO(ls_planes_take(picture, LS_RGB, reduction, &planes));
  LS_GO(ls_ink_find(&planes, &ink));
  LS_GO(find_drawing(&ink, out));
done:
  ls_planes_fini(&planes);
  ls_ink_fini(&ink);
  if (status != LS_OK) ls_drawing_fini(out);
  return status;
}

void ls_drawing_fini(ls_drawing *drawing)
{
  free(drawing->ink);
  *drawing = (ls_drawing){.ink = NULL};
}
