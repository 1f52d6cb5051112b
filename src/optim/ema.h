/* SPDX-License-Identifier: BSD-3-Clause */
/* The moving average of the weights that train.ema asks for: smoother than the last step's weights, and
 * often better (Polyak and Juditsky, SIAM J. Control Optim. 30, 1992). Running statistics are averaged along,
 * so that they fit the averaged weights about as well as those of any one step. */
#ifndef LS_OPTIM_EMA_H
#define LS_OPTIM_EMA_H

#include <stddef.h>
#include <stdint.h>

#include "nn/network.h"

/** average += (1 - d) * (now - average), d = min(decay, (1 + step) / (10 + step)), for parameters and running
 * statistics: the first steps, far from where training leads, are soon forgotten (as TensorFlow's
 * ExponentialMovingAverage does). Element by element: threads do not change a bit. One of `parts` threads,
 * `part`, does its share. `step` from 1. Local. */
void ls_ema_update(const ls_network *average, const ls_network *now, double decay, uint64_t step, size_t part,
                   size_t parts);

#endif
