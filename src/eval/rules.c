/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines are found by the Hough transform with slope and intercept (Duda and Hart, Comm. ACM 15 (1972) 11-15;
 * slopes near 0 alone, for level and upright lines in turn), and taken out by runs: where ink across the line
 * is no thicker than the line is, it is the line; where it is, a stroke crosses (as in removing staff lines
 * from music: Dalitz et al., IEEE Trans. PAMI 30 (2008) 753-766). */
#include "eval/rules.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/size.h"

enum {
  MIN_SIDE = 64, /* of pictures that may show paper with lines */
  MOST_RULES = 60,
  SAMPLES = 160, /* places along a line that vote */
  BIN = 3,       /* pixels across a line that vote for the same one */
  MOST_RUN = 32  /* pixels across */
};

static const double STEEPEST = 0.21;  /* tangent of 12 degrees */
static const double COVERAGE = 0.85;  /* of the picture, that a line is seen on */
static const double BESIDE = 0.5;     /* and at most, beside it: else it is an area */
static const double THICKEST = 0.015; /* of the shorter side */
static const double MARGIN = 0.08;    /* of a frame's sides, that they may be tilted or bent by */
static const double SIDES = 0.9;      /* of a frame's sides, that are seen */

/* A picture seen along lines that are nearly level: upright ones are level in its transpose. */
typedef struct lie {
  ls_ink *ink;
  size_t along, across;               /* pixels */
  size_t along_stride, across_stride; /* floats */
} lie;

typedef struct rule {
  double slope;
  long intercept; /* in bins */
  double coverage;
} rule;

static bool is_ink(const lie *l, size_t along, size_t across)
{
  return l->ink->smooth[along * l->along_stride + across * l->across_stride] > l->ink->floor;
}

static size_t thickest(const ls_ink *ink)
{
  const size_t side = ls_size_min(ink->width, ink->height);
  return ls_size_min((size_t)(2.5 + THICKEST * (double)side), MOST_RUN);
}

/* ---- the Hough transform ---- */

typedef struct point {
  size_t along, across;
} point;

/* Votes of one slope: places along the line where there is ink. */
typedef struct votes {
  size_t places; /* that may vote */
  point *points; /* [places * across] what they see */
  size_t point_count;
  size_t bins, offset; /* bin of intercept 0 */
  unsigned *count;     /* [bins] */
  size_t *last;        /* [bins] place that has voted last, + 1 */
} votes;

static size_t step_of(const lie *l)
{
  return ls_size_max(l->along / SAMPLES, 1);
}

static void look(const lie *l, votes *v)
{
  v->point_count = 0;
  for (size_t x = 0; x < l->along; x += step_of(l))
    for (size_t y = 0; y < l->across; y++)
      if (is_ink(l, x, y)) v->points[v->point_count++] = (point){x, y};
}

static void vote(double slope, votes *v)
{
  for (size_t i = 0; i < v->bins; i++) v->count[i] = 0, v->last[i] = 0;
  for (size_t i = 0; i < v->point_count; i++) {
    const point *p = &v->points[i];
    const double intercept = (double)p->across - slope * (double)p->along;
    const size_t bin = (size_t)((long)v->offset + (long)floor(intercept / BIN));
    if (v->last[bin] == p->along + 1) continue;
    v->last[bin] = p->along + 1;
    v->count[bin]++;
  }
}

/* The line of this slope that is seen best, if it is better than `best`. */
static void take_best(const lie *l, const votes *v, double slope, rule *best)
{
  const size_t beside = thickest(l->ink) / BIN + 2;
  for (size_t i = beside; i + beside < v->bins; i++) {
    const double seen = (double)v->count[i] / (double)v->places;
    const unsigned around =
        v->count[i - beside] > v->count[i + beside] ? v->count[i - beside] : v->count[i + beside];
    if (seen <= best->coverage || (double)around > BESIDE * (double)v->places) continue;
    *best = (rule){.slope = slope, .intercept = (long)i - (long)v->offset, .coverage = seen};
  }
}

static void find_rule(const lie *l, votes *v, rule *best)
{
  const double step = 2.0 / (double)l->along;
  const long steps = (long)(STEEPEST / step);
  *best = (rule){.coverage = 0.0};
  look(l, v);
  for (long s = -steps; s <= steps; s++) {
    vote(step * (double)s, v);
    take_best(l, v, step * (double)s, best);
  }
}

/* ---- erasing ---- */

/* Ink across a line. */
typedef struct run {
  size_t start, length;
} run;

/* The run of ink nearest to `y` at `x`, within a bin of it; length 0: none. */
static run run_at(const lie *l, size_t x, long y)
{
  for (long away = 0; away <= 2L * BIN; away++) {
    const long near = y + (away % 2 ? (away + 1) / 2 : -(away / 2));
    if (near < 0 || near >= (long)l->across || !is_ink(l, x, (size_t)near)) continue;
    run found = {.start = (size_t)near, .length = 1};
    while (found.start > 0 && is_ink(l, x, found.start - 1)) found.start--, found.length++;
    while (found.start + found.length < l->across && is_ink(l, x, found.start + found.length)) found.length++;
    return found;
  }
  return (run){.length = 0};
}

static void erase(const lie *l, size_t x, run r)
{
  for (size_t y = r.start; y < r.start + r.length; y++) {
    const size_t i = x * l->along_stride + y * l->across_stride;
    l->ink->values[i] = 0.0F;
    l->ink->smooth[i] = 0.0F;
  }
}

/* The length that half of the runs do not exceed. */
static size_t middle_run(const size_t counts[MOST_RUN + 1])
{
  size_t total = 0, below = 0, length = 0;
  for (size_t i = 1; i <= MOST_RUN; i++) total += counts[i];
  while (length < MOST_RUN && 2 * below < total) below += counts[++length];
  return length;
}

/* Erase the runs that are as thick as most of those that `locate` gives for places from `first` to `end`. */
static void erase_thin(const lie *l, size_t first, size_t end, run (*locate)(const void *, size_t),
                       const void *where)
{
  size_t counts[MOST_RUN + 1] = {0};
  for (size_t x = first; x < end; x++) counts[ls_size_min(locate(where, x).length, MOST_RUN)]++;
  const size_t thin = middle_run(counts) * 3 / 2 + 1;
  for (size_t x = first; x < end; x++) {
    const run r = locate(where, x);
    if (r.length > 0 && r.length <= thin) erase(l, x, r);
  }
}

typedef struct rule_place {
  const lie *l;
  rule r;
} rule_place;

static run run_of_rule(const void *where, size_t x)
{
  const rule_place *place = where;
  const double y = place->r.slope * (double)x + ((double)place->r.intercept + 0.5) * BIN;
  return run_at(place->l, x, (long)floor(y));
}

static ls_status remove_lying(const lie *l)
{
  votes v = {.places = (l->along + step_of(l) - 1) / step_of(l),
             .offset = (size_t)(STEEPEST * (double)l->along) / BIN + 2};
  v.bins = 2 * v.offset + l->across / BIN + 2;
  ls_status status;
  LS_GO(ls_alloc(&v.points, v.places * l->across, sizeof *v.points, "the lines"));
  LS_GO(ls_alloc(&v.count, v.bins, sizeof *v.count, "the lines"));
  LS_GO(ls_alloc(&v.last, v.bins, sizeof *v.last, "the lines"));
  for (size_t i = 0; i < MOST_RULES; i++) {
    rule_place place = {.l = l};
    find_rule(l, &v, &place.r);
    if (place.r.coverage < COVERAGE) break;
    erase_thin(l, 0, l->along, run_of_rule, &place);
  }
done:
  free(v.points);
  free(v.count);
  free(v.last);
  return status;
}

ls_status ls_rules_remove(ls_ink *ink)
{
  if (ls_size_min(ink->width, ink->height) < MIN_SIDE) return LS_OK;
  const lie level = {ink, ink->width, ink->height, 1, ink->width};
  const lie upright = {ink, ink->height, ink->width, ink->width, 1};
  LS_PASS(remove_lying(&level));
  return remove_lying(&upright);
}

/* ---- frames ---- */

/* A side of the rectangle around a stroke, seen from outside. */
typedef struct side {
  const ls_strokes *strokes;
  uint32_t label;
  size_t first, end;                  /* along the side */
  size_t outer;                       /* across: its first row or column */
  size_t margin;                      /* rows or columns that it may lie in */
  size_t extent;                      /* rows or columns of the whole frame */
  bool is_last;                       /* seen from below or from the right */
  size_t along_stride, across_stride; /* pixels */
} side;

enum { SIDES_OF_FRAME = 4 };

static void take_sides(const ls_strokes *strokes, const ls_stroke *frame, side sides[SIDES_OF_FRAME])
{
  const size_t width = strokes->width, height = ls_stroke_height(frame), breadth = ls_stroke_width(frame);
  const size_t tall = ls_size_max((size_t)(MARGIN * (double)height), 1),
               wide = ls_size_max((size_t)(MARGIN * (double)breadth), 1);
  const uint32_t label = frame->label;
  sides[0] = (side){strokes, label, frame->left, frame->right, frame->top, tall, height, false, 1, width};
  sides[1] =
      (side){strokes, label, frame->left, frame->right, frame->bottom - 1, tall, height, true, 1, width};
  sides[2] = (side){strokes, label, frame->top, frame->bottom, frame->left, wide, breadth, false, width, 1};
  sides[3] =
      (side){strokes, label, frame->top, frame->bottom, frame->right - 1, wide, breadth, true, width, 1};
}

static bool is_of_frame(const side *s, size_t x, size_t depth)
{
  const size_t y = s->is_last ? s->outer - depth : s->outer + depth;
  return s->strokes->labels[x * s->along_stride + y * s->across_stride] == s->label;
}

/* The outermost run of ink at `x`, if it begins within the margin. */
static run run_of_side(const void *where, size_t x)
{
  const side *s = where;
  size_t depth = 0, length = 0;
  while (depth < s->margin && !is_of_frame(s, x, depth)) depth++;
  if (depth == s->margin) return (run){.length = 0};
  while (depth + length < s->extent && is_of_frame(s, x, depth + length)) length++;
  return (run){.start = s->is_last ? s->outer + 1 - depth - length : s->outer + depth, .length = length};
}

bool ls_rules_is_frame(const ls_strokes *strokes, const ls_stroke *stroke)
{
  side sides[SIDES_OF_FRAME];
  take_sides(strokes, stroke, sides);
  for (size_t i = 0; i < SIDES_OF_FRAME; i++) {
    size_t seen = 0;
    for (size_t x = sides[i].first; x < sides[i].end; x++) seen += run_of_side(&sides[i], x).length > 0;
    if ((double)seen < SIDES * (double)(sides[i].end - sides[i].first)) return false;
  }
  return true;
}

void ls_rules_remove_frame(ls_ink *ink, const ls_strokes *strokes, const ls_stroke *frame)
{
  side sides[SIDES_OF_FRAME];
  take_sides(strokes, frame, sides);
  for (size_t i = 0; i < SIDES_OF_FRAME; i++) {
    const lie l = {ink, 0, 0, sides[i].along_stride, sides[i].across_stride};
    erase_thin(&l, sides[i].first, sides[i].end, run_of_side, &sides[i]);
  }
}
