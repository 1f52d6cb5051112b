/* SPDX-License-Identifier: BSD-3-Clause */
/* Stable by subtracting the largest logit; sums in double. */
#include "nn/probability.h"

#include <math.h>

#include "nn/argmax.h"

/* The largest logit of the other classes. */
static float largest_other(const float *z, size_t class, size_t classes)
{
  float most = -INFINITY;
  for (size_t k = 0; k < classes; k++)
    if (k != class && z[k] > most) most = z[k];
  return most;
}

void ls_softmax(const float *logits, size_t n, size_t classes, float *p)
{
  for (size_t s = 0; s < n; s++, logits += classes, p += classes) {
    const float shift = logits[ls_argmax_f32(logits, classes)];
    double total = 0.0;
    for (size_t k = 0; k < classes; k++) total += (double)(p[k] = expf(logits[k] - shift));
    for (size_t k = 0; k < classes; k++) p[k] = (float)((double)p[k] / total);
  }
}

double ls_log_odds(const float *logits, size_t class, size_t classes)
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
  const double apart = (double)z[ls_argmax_f32(z, classes)] - (double)least;
  double temperature = 1.0;
  while (apart / temperature > widest) temperature *= decade;
  return temperature;
}

void ls_log_direction(const float *logits, size_t class, size_t classes, double scale, float *direction)
{
  const double shift = (double)largest_other(logits, class, classes);
  const double temperature = temperature_of(logits, classes);
  double sum = 0.0, total = 0.0;
  for (size_t k = 0; k < classes; k++) {
    direction[k] = k == class ? 0.0F : (float)exp(((double)logits[k] - shift) / temperature);
    sum += (double)direction[k];
  }
  for (size_t k = 0; k < classes; k++) {
    if (k != class) direction[k] = (float)(scale * (double)direction[k] / sum);
    total += k != class ? (double)direction[k] : 0.0;
  }
  direction[class] = -(float)total;
}
