/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines are found by the Hough transform with slope and intercept (Duda and Hart, Comm. ACM 15 (1972) 11-15;
 * slopes near 0 alone, for level and upright lines in turn), and taken out by runs: where ink across the line
 * is no thicker than the line is, it is the line; where it is, a stroke crosses (as in removing staff lines
 * from music: Dalitz et al., IEEE Trans. PAMI 30 (2008) 753-766). */
#include "eval/pictures/ruled_lines.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/size.h"

enum {
  MIN_SIDE = 64,  /* of pictures that may show paper with lines */
  MIN_FRAME = 48, /* sides */
  MOST_RULES = 60,
  POSITIONS = 160, /* positions along a line that vote */
  BIN = 3,         /* pixels across a line that vote for the same one */
  MOST_RUN = 32    /* pixels across */
};

static const double STEEPEST = 0.21;  /* tangent of 12 degrees */
static const double COVERAGE = 0.85;  /* of the picture, that a line is seen on */
static const double BESIDE = 0.5;     /* and at most, beside it: else it is an area */
static const double THICKEST = 0.015; /* of the shorter side */
static const double THIN = 0.25;      /* of a line, where nothing crosses it */
static const double SIDES = 0.6;      /* of a frame, what crosses it and sticks out included */

/* A rectangle of a picture seen along lines that are nearly level: upright ones are level in its transpose.
 */
typedef struct lie {
  ls_ink *ink;
  const uint32_t *labels; /* of the picture; NULL: all ink counts */
  uint32_t label;         /* of the stroke that counts alone */
  size_t start;           /* pixel of its corner */
  size_t along, across;   /* pixels */
  size_t along_stride, across_stride;
} lie;

typedef struct rule {
  double slope;
  long intercept; /* in bins */
  double coverage;
} rule;

static size_t pixel_of(const lie *l, size_t along, size_t across)
{
  return l->start + along * l->along_stride + across * l->across_stride;
}

static bool is_ink(const lie *l, size_t along, size_t across)
{
  const size_t i = pixel_of(l, along, across);
  return l->ink->smooth[i] > l->ink->floor && (!l->labels || l->labels[i] == l->label);
}

/* The most that a line may be thick, in pixels. */
static size_t thickest(const lie *l)
{
  const size_t side = ls_size_min(l->along, l->across);
  return ls_size_min((size_t)(4.5 + THICKEST * (double)side), MOST_RUN);
}

/* ---- the Hough transform ---- */

typedef struct point {
  size_t along, across;
} point;

/* Votes of one slope: positions along the line where there is ink. */
typedef struct votes {
  size_t positions; /* that may vote */
  point *points;    /* [positions * across] what they see */
  size_t point_count;
  size_t bins, offset; /* bin of intercept 0 */
  unsigned *count;     /* [bins] */
  size_t *last;        /* [bins] position that has voted last, + 1 */
} votes;

static size_t step_of(const lie *l)
{
  return ls_size_max(l->along / POSITIONS, 1);
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
  const size_t beside = thickest(l) / BIN + 2;
  for (size_t i = beside; i + beside < v->bins; i++) {
    const double seen = (double)v->count[i] / (double)v->positions;
    const unsigned around =
        v->count[i - beside] > v->count[i + beside] ? v->count[i - beside] : v->count[i + beside];
    if (seen <= best->coverage || (double)around > BESIDE * (double)v->positions) continue;
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
    const size_t i = pixel_of(l, x, y);
    l->ink->values[i] = l->ink->smooth[i] = 0.0F;
  }
}

/* The run at a position along a line. */
static run run_of(const lie *l, const rule *r, size_t x)
{
  return run_at(l, x, (long)floor(r->slope * (double)x + ((double)r->intercept + 0.5) * BIN));
}

/* The length that half of the runs along a line do not exceed; those of strokes that cross it or lie on it do
 * not count. */
static size_t thickness_of(const lie *l, const rule *r)
{
  size_t counts[MOST_RUN + 1] = {0}, total = 0, below = 0, length = 0;
  const size_t most = thickest(l);
  for (size_t x = 0; x < l->along; x++) {
    const size_t own = run_of(l, r, x).length;
    if (own == 0 || own > most) continue;
    counts[own]++;
    total++;
  }
  while (length < most && 2 * below < total) below += counts[++length];
  return length;
}

/* Erase the runs that are as thick as most of a line's. Returns whether it is a line: thin on most of its
 * way.
 */
static bool erase_rule(const lie *l, const rule *r)
{
  const size_t thin = thickness_of(l, r) * 3 / 2 + 1;
  size_t seen = 0;
  for (size_t x = 0; x < l->along; x++) {
    const size_t length = run_of(l, r, x).length;
    seen += length > 0 && length <= thin;
  }
  if ((double)seen < THIN * (double)l->along) return false;
  for (size_t x = 0; x < l->along; x++) {
    const run own = run_of(l, r, x);
    if (own.length > 0 && own.length <= thin) erase(l, x, own);
  }
  return true;
}

/* Erase the lines that are seen on so much of the rectangle, `most` of them. Returns their number by `count`.
 */
static ls_status remove_lying(const lie *l, double coverage, size_t most, size_t *count)
{
  votes v = {.positions = (l->along + step_of(l) - 1) / step_of(l),
             .offset = (size_t)(STEEPEST * (double)l->along) / BIN + 2};
  v.bins = 2 * v.offset + l->across / BIN + 2;
  ls_status status;
  LS_GO(ls_alloc(&v.points, v.positions * l->across, sizeof *v.points, "the lines"));
  LS_GO(ls_alloc(&v.count, v.bins, sizeof *v.count, "the lines"));
  LS_GO(ls_alloc(&v.last, v.bins, sizeof *v.last, "the lines"));
  for (*count = 0; *count < most; (*count)++) {
    rule best;
    find_rule(l, &v, &best);
    if (best.coverage < coverage || !erase_rule(l, &best)) break;
  }
done:
  free(v.points);
  free(v.count);
  free(v.last);
  return status;
}

ls_status ls_ruled_lines_remove(ls_ink *ink)
{
  size_t count;
  if (ls_size_min(ink->width, ink->height) < MIN_SIDE) return LS_OK;
  const lie level = {ink, NULL, 0, 0, ink->width, ink->height, 1, ink->width};
  const lie upright = {ink, NULL, 0, 0, ink->height, ink->width, ink->width, 1};
  LS_PASS(remove_lying(&level, COVERAGE, MOST_RULES, &count));
  return remove_lying(&upright, COVERAGE, MOST_RULES, &count);
}

/* ---- frames ---- */

ls_status ls_ruled_frame_remove(ls_ink *ink, const ls_strokes *strokes, const ls_stroke *frame, bool *is_one)
{
  const size_t width = ls_stroke_width(frame), height = ls_stroke_height(frame);
  *is_one = false;
  if (ls_size_min(width, height) < MIN_FRAME) return LS_OK;
  const size_t start = frame->top * ink->width + frame->left;
  const lie level = {ink, strokes->labels, frame->label, start, width, height, 1, ink->width};
  const lie upright = {ink, strokes->labels, frame->label, start, height, width, ink->width, 1};
  size_t rows, columns = 0;
  LS_PASS(remove_lying(&level, SIDES, 2, &rows));
  if (rows == 2) LS_PASS(remove_lying(&upright, SIDES, 2, &columns));
  *is_one = columns == 2;
  return LS_OK;
}
