/* SPDX-License-Identifier: BSD-3-Clause */
/* Softmax cross-entropy, stable by subtracting the largest logit; sums in double. */
#include "nn/loss.h"

#include <math.h>

static size_t largest(const float *z, size_t classes)
{
  size_t best = 0;
  for (size_t k = 1; k < classes; k++)
    if (z[k] > z[best]) best = k;
  return best;
}

/* log of the sum of exp(z - shift). */
static double log_sum(const float *z, size_t classes, float shift)
{
  double sum = 0.0;
  for (size_t k = 0; k < classes; k++) sum += (double)expf(z[k] - shift);
  return log(sum);
}

static double sum_of(const float *z, size_t classes, float shift)
{
  double sum = 0.0;
  for (size_t k = 0; k < classes; k++) sum += (double)(z[k] - shift);
  return sum;
}

ls_loss_sums ls_loss_mixed(const float *logits, const uint16_t *labels, const ls_loss_mix *mix, size_t n,
                           size_t classes, double smoothing, double scale, float *gradient)
{
  ls_loss_sums sums = {.loss = 0.0};
  const double spread = smoothing / (double)classes;
  for (size_t s = 0; s < n; s++, logits += classes) {
    const size_t best = largest(logits, classes), label = labels[s], other = mix ? mix->others[s] : label;
    const double rest = mix ? (1.0 - smoothing) * (1.0 - (double)mix->shares[s]) : 0.0;
    const double own = 1.0 - smoothing - rest;
    const float shift = logits[best];
    const double log_total = log_sum(logits, classes, shift);
    sums.correct += best == label;
    sums.loss += log_total - own * (double)(logits[label] - shift);
    if (mix) sums.loss -= rest * (double)(logits[other] - shift);
    if (smoothing > 0.0) sums.loss -= spread * sum_of(logits, classes, shift);
    if (!gradient) continue;
    const float log_total_f = (float)log_total;
    for (size_t k = 0; k < classes; k++) {
      const double target = spread + (k == label ? own : 0.0) + (k == other ? rest : 0.0);
      gradient[k] = (float)(scale * ((double)expf(logits[k] - shift - log_total_f) - target));
    }
    gradient += classes;
  }
  return sums;
}

ls_loss_sums ls_loss_softmax(const float *logits, const uint16_t *labels, size_t n, size_t classes,
                             double smoothing, double scale, float *gradient)
{
  return ls_loss_mixed(logits, labels, NULL, n, classes, smoothing, scale, gradient);
}

/* The largest logit of the other classes. */
static float largest_other(const float *z, size_t class, size_t classes)
{
  float most = -INFINITY;
  for (size_t k = 0; k < classes; k++)
    if (k != class && z[k] > most) most = z[k];
  return most;
}

double ls_loss_log_odds(const float *logits, size_t class, size_t classes)
{
  const double shift = (double)largest_other(logits, class, classes);
  double sum = 0.0;
  for (size_t k = 0; k < classes; k++)
    if (k != class) sum += exp((double)logits[k] - shift);
  return (double)logits[class] - shift - log(sum);
}

/* Trained networks have logits 5 to 80 apart: they are left as they are. */
static double temperature_of(const float *z, size_t classes)
{
  static const double widest = 100.0, decade = 10.0;
  float least = z[0];
  for (size_t k = 1; k < classes; k++) least = z[k] < least ? z[k] : least;
  const double apart = (double)z[largest(z, classes)] - (double)least;
  double temperature = 1.0;
  while (apart / temperature > widest) temperature *= decade;
  return temperature;
}

void ls_loss_direction(const float *logits, const uint16_t *labels, size_t n, size_t classes, double scale,
                       float *gradient)
{
  for (size_t s = 0; s < n; s++, logits += classes, gradient += classes) {
    const size_t label = labels[s];
    const double shift = (double)largest_other(logits, label, classes);
    const double temperature = temperature_of(logits, classes);
    double sum = 0.0, total = 0.0;
    for (size_t k = 0; k < classes; k++) {
      gradient[k] = k == label ? 0.0F : (float)exp(((double)logits[k] - shift) / temperature);
      sum += (double)gradient[k];
    }
    for (size_t k = 0; k < classes; k++) {
      if (k != label) gradient[k] = (float)(scale * (double)gradient[k] / sum);
      total += k != label ? (double)gradient[k] : 0.0;
    }
    gradient[label] = -(float)total;
  }
}

void ls_softmax(const float *logits, size_t n, size_t classes, float *p)
{
  for (size_t s = 0; s < n; s++, logits += classes, p += classes) {
    const float shift = logits[largest(logits, classes)];
    double total = 0.0;
    for (size_t k = 0; k < classes; k++) total += (double)(p[k] = expf(logits[k] - shift));
    for (size_t k = 0; k < classes; k++) p[k] = (float)((double)p[k] / total);
  }
}
