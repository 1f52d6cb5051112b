/* SPDX-License-Identifier: BSD-3-Clause */
/* Softmax cross-entropy with label smoothing. */
#ifndef LS_NN_LOSS_H
#define LS_NN_LOSS_H

#include <stddef.h>
#include <stdint.h>

/** Sums over the samples of a micro-batch. */
typedef struct ls_loss_sums {
  double loss;    /* sum of -sum_k t_k log p_k, natural logarithm */
  size_t correct; /* samples whose largest logit is at the label (the first one on ties) */
} ls_loss_sums;

/** Loss of n samples and its gradient.
 *
 * t = (1 - smoothing) * onehot(label) + smoothing / classes, as PyTorch's CrossEntropyLoss(label_smoothing).
 *
 * @param[in]  logits    [n, classes]
 * @param[in]  labels    [n], each below classes
 * @param[in]  scale     factor on the gradient: 1 / (samples of the global batch)
 * @param[out] gradient  [n, classes]: scale * (p - t); NULL: not wanted
 */
ls_loss_sums ls_loss_softmax(const float *logits, const uint16_t *labels, size_t n, size_t classes,
                             double smoothing, double scale, float *gradient);

/** What else is in each sample of a mixture. */
typedef struct ls_loss_mix {
  const uint16_t *others; /* [n] labels */
  const float *shares;    /* [n] of the sample itself, in [0, 1] */
} ls_loss_mix;

/** The same where the target is share * t(label) + (1 - share) * t(other). Correct are those with the largest
 * logit at the label. A NULL `mix`: no mixtures. */
ls_loss_sums ls_loss_mixed(const float *logits, const uint16_t *labels, const ls_loss_mix *mix, size_t n,
                           size_t classes, double smoothing, double scale, float *gradient);

/** log(p / (1 - p)) of a class, p the softmax: it falls as the loss of that label, -log p, grows, and tells
 * apart what that has rounded to 0. Infinite with a single class. */
double ls_loss_log_odds(const float *logits, size_t class, size_t classes);

/** The direction of the loss's gradient, for what follows its sign alone. The gradient p - onehot(label) is
 * (1 - p(label)) * (q - onehot(label)), q being the softmax over the other classes; the first factor, which
 * rounding takes to 0 where the network is sure, is left out.
 *
 * Logits that lie more than 100 apart, in a sample, are first divided by the power of ten that brings them to
 * within 100: a network whose last layer is scaled by a power of ten has the same direction. Below, it is
 * that of the loss itself.
 *
 * @param[in]  scale     > 0: factor on the direction
 * @param[out] gradient  [n, classes]: scale * (q - onehot(label)), which adds up to 0
 */
void ls_loss_direction(const float *logits, const uint16_t *labels, size_t n, size_t classes, double scale,
                       float *gradient);

/** p[n, classes] = softmax of the logits; may overwrite them. */
void ls_softmax(const float *logits, size_t n, size_t classes, float *p);

#endif
