/* SPDX-License-Identifier: BSD-3-Clause */
/* Logits as probabilities: p = softmax(logits). */
#ifndef LS_NN_PROBABILITY_H
#define LS_NN_PROBABILITY_H

#include <stddef.h>

/** p[n, classes] = softmax of the logits; may overwrite them. */
void ls_softmax(const float *logits, size_t n, size_t classes, float *p);

/** log(p / (1 - p)) of a class: it falls as -log p grows, and differs where that is rounded to 0. Infinite
 * with a single class. */
double ls_log_odds(const float *logits, size_t class, size_t classes);

/** The direction of the gradient of -log p of a class, for attacks that follow its sign alone. The gradient p
 * - onehot(class) is (1 - p(class)) * (q - onehot(class)), q being the softmax over the other classes; the
 * first factor, which rounding takes to 0 where the network is sure, is left out.
 *
 * Logits that lie more than 100 apart are first divided by the power of ten that brings them to within 100: a
 * network whose last layer is scaled by a power of ten has the same direction. Below, it is that of -log p
 * itself.
 *
 * @param[in]  scale      > 0: factor on the direction
 * @param[out] direction  [classes]: scale * (q - onehot(class)), which adds up to 0
 */
void ls_log_direction(const float *logits, size_t class, size_t classes, double scale, float *direction);

#endif
