/* SPDX-License-Identifier: BSD-3-Clause */
/* Attacks on a network: they look for images that the network gets wrong. No pixel differs from the
 * original's by more than epsilon (L-infinity), and none leaves the range from black to white. One file per
 * kind behind one table, listed in kinds.h; adversarial training and `lockstep attack` share them.
 *
 * Attacks work on the model's input, where normalization has taken the pixels, and follow the loss of the
 * network in evaluation mode: running statistics, no dropout. They compute no gradient of the weights.
 * Several networks are attacked as one by the loss of their vote, -log of the mean probability of the label.
 */
#ifndef LS_ATTACK_ATTACK_H
#define LS_ATTACK_ATTACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attack/kinds.h"
#include "base/rng.h"
#include "base/status.h"
#include "config/keys.h"
#include "data/loader.h"
#include "nn/network.h"

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
typedef struct ls_attack_scratch {
  float *clean;    /* [microbatch, h, w, c] the images as they were; owned */
  float *gradient; /* the same shape: the last step's, of the loss with respect to the images, but for a
                      positive factor of each sample's; owned */
  /* Where several networks vote; else NULL. Owned. */
  float *member_gradient; /* the same shape: of one member's loss */
  double *weights;        /* [members, microbatch] what a member's gradient counts, as a logarithm */
} ls_attack_scratch;

/** A network under attack, and what one thread works in. */
typedef struct ls_attack_member {
  const ls_network *network; /* its model was built with input_gradient */
  ls_workspace *workspace;
} ls_attack_member;

/** One micro-batch under attack. */
typedef struct ls_attack_task {
  const ls_attack *attack;
  const ls_attack_member *members; /* [member_count] networks whose mean probability decides; one as a rule.
                                      The input of the first's workspace holds the images, as that network
                                      takes them, and is changed; those of the others follow */
  size_t member_count;             /* >= 1 */
  const ls_attack_scratch *scratch;
  const ls_microbatch *microbatch; /* n and samples are read */
  const uint16_t *labels;          /* [n] */
  uint64_t round;                  /* keys random starts, with seed and sample: the epoch or the restart */
  struct ls_profile *profile;      /* see ls_pass; may be NULL */
} ls_attack_task;

typedef struct ls_attack_kind {
  ls_schema schema; /* name, sentence, and `idle` of train.adversarial; the keys are those of all attacks */
  double alpha;     /* adversarial training's share of the clean loss, by default */
  bool takes_steps; /* steps and step_size mean something; without, they are idle */
  bool is_random;   /* rounds differ: restarts mean something */
  bool follows_gradient;                   /* and stands still where the gradient vanishes */
  void (*run)(const ls_attack_task *task); /* change the images in the workspace */
} ls_attack_kind;

#define LS_ATTACK_COUNT_ONE(name) +1
enum { LS_ATTACK_COUNT = 0 LS_ATTACK_LIST(LS_ATTACK_COUNT_ONE) };
#undef LS_ATTACK_COUNT_ONE

extern const ls_attack_kind *const ls_attack_kinds[LS_ATTACK_COUNT + 1]; /* NULL-terminated */
extern const ls_schema *const ls_attack_schemas[LS_ATTACK_COUNT + 1];    /* the same order, NULL-terminated */

/** The kind of that name, or NULL. */
const ls_attack_kind *ls_attack_find(const char *name);

/** Attack the images in the workspace's input: a pure function of task, weights and images. Local. Cannot
 * fail. */
void ls_attack_run(const ls_attack_task *task);

/** Did sample s have a gradient at the attack's last step: finite, and not 0 at every pixel? Where it is 0,
 * the image stays the same in all further steps. Local. Cannot fail. */
bool ls_attack_has_gradient(const ls_attack_task *task, size_t s);

/** One scratch per thread for attacks on networks of the shape of `model`; freed with
 * ls_attack_scratch_free(). Local. Errors: LS_E_MEMORY. */
ls_status ls_attack_scratch_new(ls_attack_scratch **out, const ls_model *model, size_t microbatch,
                                size_t members, size_t threads) LS_CHECKED;
/** NULL is fine. */
void ls_attack_scratch_free(ls_attack_scratch *scratch, size_t threads);

/* ---- for the kinds ---- */

#define LS_ATTACK_DECLARE(name) extern const ls_attack_kind ls_attack_##name;
LS_ATTACK_LIST(LS_ATTACK_DECLARE)
#undef LS_ATTACK_DECLARE

/** The keys that have no effect with a kind that takes one step. */
extern const char *const ls_attack_step_keys[];

/** Move every pixel by `length` in the direction in which the loss of `labels` grows (targeted: falls) from
 * where the images are now, within the limits. A pixel that the loss does not depend on stays. */
void ls_attack_step(const ls_attack_task *task, double length);

/** Draw an offset in [-1, 1) for every pixel, [n, h, w, c]. Each sample has its own, whichever micro-batch it
 * came in. Borrowed from the scratch. */
float *ls_attack_draw(const ls_attack_task *task, ls_rng_purpose purpose);

/** Move every pixel from the clean image's by epsilon times offsets [n, h, w, c], each in [-1, 1], within
 * the limits. */
void ls_attack_start(const ls_attack_task *task, const float *offsets);

/** Fill the scratch's gradient with that of the loss of `labels` with respect to the images as they are now,
 * in the first member's units, but for a positive factor of each sample's: it does not vanish where the loss
 * is all but 0. */
void ls_attack_find_gradient(const ls_attack_task *task);

/** Floats of the images of a task. */
size_t ls_attack_pixel_count(const ls_attack_task *task);

#endif
