/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of the metrics. */
#include "config/metric.h"

/* name, which is also the member of ls_metric_values; direction; is there one where labels are values? */
#define METRICS(X) X(loss, -1, true) X(accuracy, 1, false)

#define WORD(name, direction, is_of_values) #name,
const char *const ls_metric_words[] = {METRICS(WORD) NULL};

static const struct {
  size_t offset; /* of the value */
  double direction;
  bool is_of_values;
} rows[] = {
#define ROW(name, direction, is_of_values) {offsetof(ls_metric_values, name), direction, is_of_values},
    METRICS(ROW)};

double ls_metric_of(int metric, const ls_metric_values *values)
{
  return *(const double *)(const void *)((const char *)values + rows[metric].offset);
}

bool ls_metric_is_of_values(int metric)
{
  return rows[metric].is_of_values;
}

double ls_metric_direction(int metric)
{
  return rows[metric].direction;
}

bool ls_metric_is_better(int metric, double value, double than)
{
  return rows[metric].direction > 0 ? value > than : value < than;
}
