/* SPDX-License-Identifier: BSD-3-Clause */
/* Normalize, forward, and call a visitor: the one driver for everything but training. A thread carries its
 * share of the micro-batches, which are neighbours. */
#include "eval/forward.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "comm/team.h"
#include "nn/probability.h"

/* What a thread votes in. */
typedef struct ls_vote_scratch {
  float *mean; /* [microbatch, classes] */
  float *own;  /* [members, microbatch, classes] probabilities */
} ls_vote_scratch;

static ls_status allocate_votes(ls_members *members)
{
  const size_t values = members->microbatch * ls_members_classes(members);
  if (members->count == 1) return LS_OK;
  LS_PASS(ls_alloc(&members->votes, members->threads, sizeof *members->votes, "probabilities"));
  for (size_t t = 0; t < members->threads; t++) {
    LS_PASS(ls_alloc(&members->votes[t].mean, values, sizeof(float), "probabilities"));
    LS_PASS(ls_alloc(&members->votes[t].own, members->count * values, sizeof(float), "probabilities"));
  }
  return LS_OK;
}

ls_status ls_members_init(ls_members *members, const ls_network *const *networks, size_t count,
                          size_t threads, size_t microbatch)
{
  *members = (ls_members){.count = count, .threads = threads, .microbatch = microbatch};
  LS_PASS(ls_alloc(&members->items, count, sizeof *members->items, "the members"));
  for (size_t m = 0; m < count; m++) {
    members->items[m].network = networks[m];
    LS_PASS(ls_workspaces_new(&members->items[m].workspaces, networks[m]->model, threads));
  }
  return allocate_votes(members);
}

void ls_members_fini(ls_members *members)
{
  for (size_t t = 0; members->votes && t < members->threads; t++) {
    free(members->votes[t].mean);
    free(members->votes[t].own);
  }
  free(members->votes);
  for (size_t m = 0; members->items && m < members->count; m++)
    ls_workspaces_free(members->items[m].workspaces, members->threads);
  free(members->items);
  *members = (ls_members){.count = 0};
}

size_t ls_members_classes(const ls_members *members)
{
  return ls_model_classes(members->items[0].network->model);
}

/* ---- one micro-batch ---- */

void ls_member_show(const ls_member *member, size_t part, const uint8_t *images, size_t n)
{
  ls_network_show(member->network, images, NULL, n, member->workspaces[part]);
}

/* Of what a member was shown. */
static const float *pass_of(const ls_member *member, size_t part, const ls_microbatch *microbatch)
{
  ls_pass pass = ls_network_pass(member->network, microbatch->n, microbatch->samples);
  pass.from_features = microbatch->features != NULL;
  return ls_model_forward(member->network->model, &pass, member->workspaces[part]);
}

static const float *logits_of(const ls_member *member, size_t part, const ls_microbatch *microbatch)
{
  ls_network_show(member->network, microbatch->images, microbatch->features, microbatch->n,
                  member->workspaces[part]);
  return pass_of(member, part, microbatch);
}

/* Of the mean over the views. */
static const float *view_logits(const ls_member *member, size_t part, const ls_microbatch *microbatch)
{
  const ls_model *model = member->network->model;
  const size_t classes = ls_model_classes(model), values = microbatch->n * classes;
  size_t count;
  const ls_view *views;
  if (!member->tta) return logits_of(member, part, microbatch);
  views = ls_tta_views(member->tta, &count);
  ls_tta_begin(member->tta, part, values);
  for (size_t i = 0; i < count; i++) {
    ls_member_show(member, part, microbatch->images, microbatch->n);
    ls_view_apply(&views[i], ls_model_input(model), microbatch->n,
                  ls_workspace_input(member->workspaces[part]));
    ls_tta_add(member->tta, part, pass_of(member, part, microbatch), microbatch->n, classes);
  }
  return ls_tta_logits(member->tta, part, values);
}

/* How a member's logits are found. */
typedef const float *member_look(const ls_member *member, size_t part, const ls_microbatch *microbatch);

static const float *vote(const ls_members *members, size_t part, const ls_microbatch *microbatch,
                         member_look *look)
{
  const size_t classes = ls_members_classes(members), values = microbatch->n * classes;
  if (members->count == 1) return look(&members->items[0], part, microbatch);
  float *mean = members->votes[part].mean;
  memset(mean, 0, values * sizeof *mean);
  for (size_t m = 0; m < members->count; m++) {
    float *own = members->votes[part].own + m * members->microbatch * classes;
    ls_softmax(look(&members->items[m], part, microbatch), microbatch->n, classes, own);
    for (size_t i = 0; i < values; i++) mean[i] += own[i] / (float)members->count;
  }
  for (size_t i = 0; i < values; i++) mean[i] = logf(fmaxf(mean[i], 1e-38f));
  return mean;
}

const float *ls_members_forward(const ls_members *members, size_t part, const ls_microbatch *microbatch)
{
  return vote(members, part, microbatch, pass_of);
}

const float *ls_members_logits(const ls_members *members, size_t part, const ls_microbatch *microbatch)
{
  return vote(members, part, microbatch, view_logits);
}

const float *ls_members_probabilities(const ls_members *members, size_t part, size_t member)
{
  return members->votes[part].own + member * members->microbatch * ls_members_classes(members);
}

/* ---- all of them ---- */

typedef struct walk {
  const ls_members *members;
  const ls_loader *loader;
  ls_eval_split split;
  const ls_visitor *visitor;
} walk;

static void visit_microbatch(const walk *self, size_t part, size_t i)
{
  ls_visit visit = {
      .part = part, .i = i, .microbatch = ls_loader_eval_microbatch(self->loader, self->split, i)};
  if (self->visitor->wants && !self->visitor->wants(self->visitor->user, i)) return;
  visit.first =
      (size_t)(visit.microbatch.samples - ls_loader_eval_microbatch(self->loader, self->split, 0).samples);
  visit.logits = ls_members_logits(self->members, part, &visit.microbatch);
  self->visitor->visit(self->visitor->user, &visit);
}

static void visit_part(void *user, size_t part)
{
  const walk *self = user;
  const size_t threads = self->members->threads;
  const size_t count = ls_loader_eval_microbatches(self->loader, self->split);
  const size_t first = ls_part_first(count, threads, part), end = ls_part_first(count, threads, part + 1);
  for (size_t i = first; i < end; i++) {
    visit_microbatch(self, part, i);
    if (part == 0) ls_tick(self->visitor->ticker, i + 1 - first, end - first);
  }
}

void ls_for_each_microbatch(const ls_members *members, const ls_loader *loader, ls_eval_split split,
                            const ls_visitor *visitor)
{
  walk self = {.members = members, .loader = loader, .split = split, .visitor = visitor};
  ls_team_run(members->threads, visit_part, &self);
}

size_t ls_rank_microbatch(const ls_loader *loader, ls_eval_split split)
{
  const size_t count = ls_loader_eval_microbatches(loader, split);
  size_t most = 1;
  for (size_t i = 0; i < count; i++) most = ls_size_max(most, ls_loader_eval_microbatch(loader, split, i).n);
  return most;
}
