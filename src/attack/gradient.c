/* SPDX-License-Identifier: BSD-3-Clause */
/* The gradient along whose sign attacks take their steps: of the loss that a network is trained with, or of
 * that of the vote of several.
 *
 * The vote's loss is -log(P), P being the mean of the members' probabilities p_m of the label. Its gradient
 * is the sum of the members' gradients, each with a share of p_m / (p_1 + p_2 + ...); and a member's gradient
 * is 1 - p_m times what ls_log_direction() gives. So the directions are summed with the weights p_m (1 -
 * p_m). Where every p_m is near 0 or 1, rounding would make all of these 0: they are computed as logarithms,
 * and divided by the largest of a sample.
 */
#include <math.h>
#include <string.h>

#include "attack/attack.h"
#include "nn/loss.h"
#include "nn/probability.h"

/* Float32 ends at 1e-38 and at 1e38, and where units saturate gradients are small. A power of two scales them
 * without rounding. */
static const double DIRECTION_SCALE = 0x1p32;

/* Forward; the logits are returned. */
static const float *run_forward(const ls_attack_task *task, const ls_attack_member *member)
{
  ls_pass pass = ls_network_pass(member->network, task->microbatch->n, task->microbatch->samples);
  pass.profile = task->profile;
  return ls_model_forward(member->network->model, &pass, member->workspace);
}

/* Backward from there. */
static void run_backward(const ls_attack_task *task, const ls_attack_member *member, float *gradient)
{
  ls_pass pass = ls_network_pass(member->network, task->microbatch->n, task->microbatch->samples);
  pass.profile = task->profile;
  ls_model_backward(member->network->model, &pass, member->workspace, gradient);
}

/* The images of the first member as another one takes them. */
static void bring_images(const ls_attack_task *task, const ls_attack_member *member)
{
  const ls_normalization *from = &task->members[0].network->normalization;
  const ls_normalization *to = &member->network->normalization;
  const float *images = ls_workspace_input(task->members[0].workspace);
  float *x = ls_workspace_input(member->workspace);
  const size_t count = ls_attack_pixel_count(task), channels = from->channels;
  for (size_t c = 0; c < channels; c++) {
    const double scale = from->deviation[c] / to->deviation[c];
    const double shift = (from->mean[c] - to->mean[c]) / to->deviation[c];
    for (size_t i = c; i < count; i += channels) x[i] = (float)((double)images[i] * scale + shift);
  }
}

/* log(p (1 - p)) of each sample's label. */
static void find_weights(const ls_attack_task *task, const float *logits, size_t classes, double *weights)
{
  for (size_t s = 0; s < task->microbatch->n; s++) {
    const double odds = fabs(ls_log_odds(logits + s * classes, task->labels[s], classes));
    weights[s] = -odds - 2.0 * log1p(exp(-odds));
  }
}

/* The members' weights become factors, the largest of a sample 1. */
static void scale_weights(const ls_attack_task *task)
{
  const size_t n = task->microbatch->n;
  double *weights = task->scratch->weights;
  for (size_t s = 0; s < n; s++) {
    double largest = -INFINITY;
    for (size_t m = 0; m < task->member_count; m++) largest = fmax(largest, weights[m * n + s]);
    for (size_t m = 0; m < task->member_count; m++) weights[m * n + s] = exp(weights[m * n + s] - largest);
  }
}

/* A member's gradient, in the units of the first one's images, to the others'. */
static void add_gradient(const ls_attack_task *task, const ls_attack_member *member, const double *weights)
{
  const ls_normalization *from = &task->members[0].network->normalization;
  const ls_normalization *to = &member->network->normalization;
  const size_t channels = from->channels, pixels = ls_attack_pixel_count(task) / task->microbatch->n;
  for (size_t s = 0; s < task->microbatch->n; s++) {
    const float *own = task->scratch->member_gradient + s * pixels;
    float *sum = task->scratch->gradient + s * pixels;
    for (size_t i = 0; i < pixels; i++) {
      const double scale = from->deviation[i % channels] / to->deviation[i % channels];
      sum[i] += (float)(weights[s] * scale * (double)own[i]);
    }
  }
}

static void find_vote_gradient(const ls_attack_task *task)
{
  const size_t n = task->microbatch->n, classes = ls_model_classes(task->members[0].network->model);
  double *weights = task->scratch->weights;
  for (size_t m = 0; m < task->member_count; m++) {
    if (m > 0) bring_images(task, &task->members[m]);
    const float *logits = run_forward(task, &task->members[m]);
    float *directions = ls_workspace_loss_gradient(task->members[m].workspace);
    find_weights(task, logits, classes, weights + m * n);
    for (size_t s = 0; s < n; s++)
      ls_log_direction(logits + s * classes, task->labels[s], classes, DIRECTION_SCALE,
                       directions + s * classes);
  }
  scale_weights(task);
  memset(task->scratch->gradient, 0, ls_attack_pixel_count(task) * sizeof(float));
  for (size_t m = 0; m < task->member_count; m++) {
    run_backward(task, &task->members[m], task->scratch->member_gradient);
    add_gradient(task, &task->members[m], weights + m * n);
  }
}

void ls_attack_find_gradient(const ls_attack_task *task)
{
  if (task->member_count > 1) {
    find_vote_gradient(task);
    return;
  }
  const ls_attack_member *member = &task->members[0];
  const ls_targets targets = {
      .n = task->microbatch->n, .classes = ls_model_classes(member->network->model), .labels = task->labels};
  ls_loss_direction(&member->network->loss, run_forward(task, member), &targets, DIRECTION_SCALE,
                    ls_workspace_loss_gradient(member->workspace));
  run_backward(task, member, task->scratch->gradient);
}
