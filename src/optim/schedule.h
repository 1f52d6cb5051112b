/* SPDX-License-Identifier: BSD-3-Clause */
/* Learning-rate schedules: one file per kind behind one table, listed in kinds.h. A rate is a
 * function of the position in the run and of what the kind remembers, which checkpoints keep, so a resumed
 * run goes on exactly. */
#ifndef LS_OPTIM_SCHEDULE_H
#define LS_OPTIM_SCHEDULE_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "base/field.h"
#include "base/status.h"
#include "config/keys.h"
#include "config/metric.h"

/** Where in the run a step is. */
typedef struct ls_schedule_position {
  uint64_t step;        /* from 0, since the start of the run */
  uint64_t epoch_steps; /* steps of an epoch */
  uint64_t total_steps; /* epochs * epoch_steps */
} ls_schedule_position;

enum { LS_SCHEDULE_STATE_FIELDS = 8 };

/** What a schedule remembers from one epoch to the next: a struct of its kind's own, whose members are the
 * fields that its row lists, and nothing else. */
typedef union ls_schedule_state {
  uint64_t counts[LS_SCHEDULE_STATE_FIELDS];
  double reals[LS_SCHEDULE_STATE_FIELDS];
} ls_schedule_state;

typedef struct ls_schedule_kind {
  ls_schema schema;
  double (*warmup_epochs)(const void *options); /* length of the linear warm-up; may be a fraction */
  ls_fields state;                              /* of the struct that it remembers. Optional: none */
  /* Set that struct for the start of a run; or for a run that goes on with other options of the schedule.
   * Required if there is such a struct. */
  void (*start)(void *state);
  void (*restart)(void *state);
  /* Factor on the learning rate after the warm-up: `done` of `total` steps, both without the warm-up's. */
  double (*factor)(const void *options, double base_lr, uint64_t done, uint64_t total, uint64_t epoch_steps,
                   const void *state);
  /* At the end of an epoch, with its results. Optional. */
  void (*observe)(const void *options, double base_lr, const ls_metric_values *values, void *state);
  int (*metric)(const void *options);    /* which one it follows, of config/metric.h. Optional: none */
  size_t (*cycles)(const void *options); /* equal parts after the warm-up. Optional: one */
} ls_schedule_kind;

/** What every schedule takes: the first member of each kind's options. */
typedef struct ls_schedule_common {
  double warmup_epochs; /* linear warm-up, >= 0, may be a fraction */
} ls_schedule_common;

/* Its row, the same in every kind. */
#define LS_SCHEDULE_WARMUP_KEY                                                                               \
  {                                                                                                          \
    .path = "warmup_epochs", .type = LS_KEY_REAL, .offset = offsetof(ls_schedule_common, warmup_epochs),     \
    .preset = "0", .max = INFINITY, .unit = "epochs",                                                        \
    .doc = "Length of the linear warm-up that comes before the schedule; may be a fraction."                 \
  }

/** The operation `warmup_epochs` of every kind. */
double ls_schedule_warmup_epochs(const void *options);

extern const ls_schedule_kind *const ls_schedule_kinds[]; /* NULL-terminated */
extern const ls_schema *const ls_schedule_schemas[];      /* the same order, NULL-terminated */

/** Learning rate of a step. Warm-up: step i of w warm-up steps gets (i + 1) / (w + 1) of the rate that the
 * schedule starts with. */
double ls_schedule_rate(const ls_kind_spec *spec, double base_lr, const ls_schedule_position *position,
                        const ls_schedule_state *state);

/** Epochs of the linear warm-up; may be a fraction, and more than the run has. */
double ls_schedule_warmup(const ls_kind_spec *spec);

/** The metric that it follows; -1: none. */
int ls_schedule_metric(const ls_kind_spec *spec);

/** Give the schedule the results of an epoch. */
void ls_schedule_observe(const ls_kind_spec *spec, double base_lr, const ls_metric_values *values,
                         ls_schedule_state *state);

/** Set what the kind remembers: at the start of a run; and where a run goes on with another schedule. */
void ls_schedule_start(const ls_kind_spec *spec, ls_schedule_state *state);
void ls_schedule_restart(const ls_kind_spec *spec, ls_schedule_state *state);

/** The names under which files keep what the kind remembers, as members of ls_schedule_state. */
ls_fields ls_schedule_fields(const ls_kind_spec *spec);

/** How many of the schedule's cycles end with the first `done` of `epochs` epochs; 0 if the last of them ends
 * none. Cycles and warm-up that are no whole epochs end none. */
size_t ls_schedule_cycles_done(const ls_kind_spec *spec, size_t done, size_t epochs);

#endif
