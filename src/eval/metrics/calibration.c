/* SPDX-License-Identifier: BSD-3-Clause */
#include "eval/metrics/calibration.h"

#include <math.h>

static const double SCALE = 0x1p28; /* of fixed-point sums */

static uint64_t fixed(double value)
{
  return (uint64_t)llround(value * SCALE);
}

static ls_reliability_bin *bin_of(ls_calibration *calibration, double confidence)
{
  const double bin = ceil(confidence * LS_CALIBRATION_BINS) - 1;
  return &calibration->bins[(size_t)fmin(fmax(bin, 0), LS_CALIBRATION_BINS - 1)];
}

/* fmin() and fmax() return the other operand of a NaN. */
void ls_calibration_add(ls_calibration *calibration, const double *p, size_t classes, size_t class,
                        uint16_t label)
{
  const double confidence = fmax(fmin(p[class], 1.0), 0.0);
  ls_reliability_bin *bin = bin_of(calibration, confidence);
  double brier = 0;
  for (size_t k = 0; k < classes; k++) {
    const double distance = p[k] - (k == label ? 1.0 : 0.0);
    brier += distance * distance;
  }
  calibration->samples++;
  calibration->correct += class == label;
  calibration->nll += fixed(fmax(-log(fmax(p[label], 1e-38)), 0.0));
  calibration->brier += fixed(fmin(brier, 2.0));
  bin->samples++;
  bin->correct += class == label;
  bin->confidence += fixed(confidence);
}

void ls_calibration_merge(ls_calibration *calibration, const ls_calibration *other)
{
  calibration->samples += other->samples;
  calibration->correct += other->correct;
  calibration->nll += other->nll;
  calibration->brier += other->brier;
  for (size_t i = 0; i < LS_CALIBRATION_BINS; i++) {
    calibration->bins[i].samples += other->bins[i].samples;
    calibration->bins[i].correct += other->bins[i].correct;
    calibration->bins[i].confidence += other->bins[i].confidence;
  }
}

static double mean(uint64_t sum, uint64_t samples)
{
  return (double)sum / SCALE / (double)samples;
}

double ls_calibration_accuracy(const ls_calibration *calibration)
{
  return (double)calibration->correct / (double)calibration->samples;
}

double ls_calibration_nll(const ls_calibration *calibration)
{
  return mean(calibration->nll, calibration->samples);
}

double ls_calibration_brier(const ls_calibration *calibration)
{
  return mean(calibration->brier, calibration->samples);
}

double ls_calibration_error(const ls_calibration *calibration)
{
  double sum = 0;
  for (size_t i = 0; i < LS_CALIBRATION_BINS; i++) {
    const ls_reliability_bin *bin = &calibration->bins[i];
    sum += fabs((double)bin->confidence / SCALE - (double)bin->correct);
  }
  return sum / (double)calibration->samples;
}

const ls_calibration_figure ls_calibration_figures[] = {{"accuracy", ls_calibration_accuracy, 100, 2},
                                                        {"nll", ls_calibration_nll, 1, 4},
                                                        {"brier", ls_calibration_brier, 1, 4},
                                                        {"ece", ls_calibration_error, 1, 4},
                                                        {NULL, NULL, 0, 0}};

double ls_reliability_confidence(const ls_reliability_bin *bin)
{
  return mean(bin->confidence, bin->samples);
}

double ls_reliability_accuracy(const ls_reliability_bin *bin)
{
  return (double)bin->correct / (double)bin->samples;
}
