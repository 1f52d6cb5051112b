/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory for figures. */
#include "store/split_metrics.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/size.h"

static ls_status allocate(ls_metrics *metrics, size_t classes)
{
  size_t cells;
  metrics->classes = classes;
  LS_PASS(ls_alloc(&metrics->per_class, classes, sizeof metrics->per_class[0], "the metrics of each class"));
  if (metrics->labels != LS_LABELS_CLASS) return LS_OK;
  if (!ls_size_mul(classes, classes, &cells))
    return ls_fail(LS_E_MEMORY, "no memory for the confusion matrix of %zu classes", classes);
  return ls_alloc(&metrics->confusion, cells, sizeof metrics->confusion[0], "the confusion matrix");
}

ls_status ls_metrics_make(ls_metrics **out, ls_label_form labels, size_t classes)
{
  LS_PASS(ls_alloc(out, 1, sizeof **out, "metrics"));
  (*out)->labels = labels;
  const ls_status status = allocate(*out, classes);
  if (status == LS_OK) return LS_OK;
  ls_metrics_free(*out);
  *out = NULL;
  return status;
}

void ls_metrics_free(ls_metrics *metrics)
{
  if (!metrics) return;
  free(metrics->per_class);
  free(metrics->confusion);
  free(metrics);
}

void ls_split_metrics_set(ls_split_metrics *split_metrics, ls_metrics_split split, ls_metrics *metrics)
{
  ls_metrics_free(split_metrics->splits[split]);
  split_metrics->splits[split] = metrics;
}

void ls_split_metrics_fini(ls_split_metrics *split_metrics)
{
  for (size_t i = 0; i < LS_METRICS_COUNT; i++)
    ls_split_metrics_set(split_metrics, (ls_metrics_split)i, NULL);
}
