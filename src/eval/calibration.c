/* SPDX-License-Identifier: BSD-3-Clause */
#include "eval/calibration.h"

#include <math.h>

static size_t largest(const double *p, size_t classes)
{
  size_t best = 0;
  for (size_t k = 1; k < classes; k++)
    if (p[k] > p[best]) best = k;
  return best;
}

static ls_reliability_bin *bin_of(ls_calibration *calibration, double confidence)
{
  const double bin = ceil(confidence * LS_CALIBRATION_BINS) - 1;
  return &calibration->bins[(size_t)fmin(fmax(bin, 0), LS_CALIBRATION_BINS - 1)];
}

void ls_calibration_add(ls_calibration *calibration, const double *p, size_t classes, uint16_t label)
{
  const size_t best = largest(p, classes);
  ls_reliability_bin *bin = bin_of(calibration, p[best]);
  calibration->samples++;
  calibration->correct += best == label;
  calibration->nll -= log(fmax(p[label], 1e-38));
  for (size_t k = 0; k < classes; k++) {
    const double distance = p[k] - (k == label ? 1.0 : 0.0);
    calibration->brier += distance * distance;
  }
  bin->samples++;
  bin->correct += best == label;
  bin->confidence += p[best];
}

double ls_calibration_accuracy(const ls_calibration *calibration)
{
  return (double)calibration->correct / (double)calibration->samples;
}

double ls_calibration_nll(const ls_calibration *calibration)
{
  return calibration->nll / (double)calibration->samples;
}

double ls_calibration_brier(const ls_calibration *calibration)
{
  return calibration->brier / (double)calibration->samples;
}

double ls_calibration_error(const ls_calibration *calibration)
{
  double sum = 0;
  for (size_t i = 0; i < LS_CALIBRATION_BINS; i++) {
    const ls_reliability_bin *bin = &calibration->bins[i];
    sum += fabs(bin->confidence - (double)bin->correct);
  }
  return sum / (double)calibration->samples;
}
