/* SPDX-License-Identifier: BSD-3-Clause */
/* Attacks on a network: images that it errs on, no pixel of which differs by more than epsilon from the
 * original's (L-infinity), and none of which leaves the range from black to white. One file per kind behind
 * one table, registered in attacks.c; adversarial training and `lockstep attack` share them.
 *
 * Attacks work on the model's input, where normalization has taken the pixels, and follow the loss of the
 * network in evaluation mode: running statistics, no dropout. They compute no gradient of the weights.
 */
#ifndef LS_TRAIN_ATTACK_H
#define LS_TRAIN_ATTACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "data/loader.h"
#include "train/network.h"

/** How to attack. Lengths are in raw pixel units, where black is 0 and white is 1. */
typedef struct ls_attack {
  const struct ls_attack_kind *kind;
  double epsilon;   /* [0, 1]: the most that a pixel is changed by */
  double step_size; /* of an iterative kind; 0: 2.5 * epsilon / steps */
  size_t steps;     /* of an iterative kind, >= 1 */
  bool is_targeted; /* labels are where to, not where from */
  uint64_t seed;
} ls_attack;

/** Memory for the attacks of one thread. */
typedef struct ls_attack_room {
  float *clean;    /* [microbatch, h, w, c] the images as they were; owned */
  float *gradient; /* the same shape: the last step's, of the loss with respect to the images, but for a
                      positive factor of each sample's; owned */
} ls_attack_room;

/** One micro-batch under attack. */
typedef struct ls_attack_task {
  const ls_attack *attack;
  const ls_network *network; /* its model was built with input_gradient */
  ls_workspace *workspace;   /* the input holds the normalized images, and is changed */
  const ls_attack_room *room;
  const ls_microbatch *microbatch; /* n and samples are read */
  const uint16_t *labels;          /* [n] */
  uint64_t round;                  /* keys random starts, with seed and sample: the epoch or the restart */
  struct ls_profile *profile;      /* see ls_pass; may be NULL */
} ls_attack_task;

typedef struct ls_attack_kind {
  const char *name;                        /* "pgd" */
  const char *doc;                         /* one sentence */
  double alpha;                            /* adversarial training's share of the clean loss, by default */
  bool takes_steps;                        /* steps, step_size and restarts mean something */
  void (*run)(const ls_attack_task *task); /* change the images in the workspace */
} ls_attack_kind;

extern const ls_attack_kind *const ls_attack_kinds[]; /* NULL-terminated */

/** The kind of that name, or NULL. */
const ls_attack_kind *ls_attack_find(const char *name);

/** Attack the images in the workspace's input: a pure function of task, weights and images. Local. Cannot
 * fail. */
void ls_attack_run(const ls_attack_task *task);

/** Had sample s a gradient at the attack's last step: finite, and not 0 at every pixel? Where it is 0, the
 * image stays for all steps to come. Local. Cannot fail. */
bool ls_attack_has_gradient(const ls_attack_task *task, size_t s);

/** One room per thread; freed with ls_attack_rooms_free(). Local. Errors: LS_E_MEMORY. */
ls_status ls_attack_rooms_new(ls_attack_room **out, const ls_model *model, size_t microbatch,
                              size_t threads) LS_CHECKED;
/** NULL is fine. */
void ls_attack_rooms_free(ls_attack_room *rooms, size_t threads);

/* ---- for the kinds ---- */

/** Move every pixel by `length` in the direction in which the loss of `labels` grows (targeted: falls) from
 * where the images are now, within the limits. A pixel that the loss does not depend on stays. */
void ls_attack_step(const ls_attack_task *task, double length);

/** Move every pixel from the clean image's by epsilon times offsets [n, h, w, c], each in [-1, 1], within
 * the limits. */
void ls_attack_start(const ls_attack_task *task, const float *offsets);

#endif
