/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of the metrics. */
#include "config/metric.h"

/* name, which is also the member of ls_metric_values; direction */
#define METRICS(X) X(loss, -1) X(accuracy, 1)

#define WORD(name, direction) #name,
const char *const ls_metric_words[] = {METRICS(WORD) NULL};

static const struct {
  size_t offset; /* of the value */
  double direction;
} rows[] = {
#define ROW(name, direction) {offsetof(ls_metric_values, name), direction},
    METRICS(ROW)};

double ls_metric_of(int metric, const ls_metric_values *values)
{
  return *(const double *)(const void *)((const char *)values + rows[metric].offset);
}

double ls_metric_direction(int metric)
{
  return rows[metric].direction;
}

bool ls_metric_is_better(int metric, double value, double than)
{
  return rows[metric].direction > 0 ? value > than : value < than;
}
