/* SPDX-License-Identifier: BSD-3-Clause */
/* The figures that follow from a confusion matrix and from calibration, or from outputs and labels that are
 * not classes, and the lists of those in reports. */
#ifndef LS_EVAL_METRICS_METRICS_H
#define LS_EVAL_METRICS_METRICS_H

#include "eval/metrics/calibration.h"
#include "store/split_metrics.h"

/** A quotient of counts; 0 where it is 0/0. */
double ls_metrics_fraction(uint64_t part, uint64_t whole);

/** Precision, recall and F1 of a class or label, whose support and predictions are there, by its hits. */
void ls_metrics_derive_class(ls_class_metrics *class, uint64_t hits);

/** What a network gave for a sample, and what it was to give. */
typedef struct ls_output {
  uint64_t sample; /* its index in the split of the dataset that it is from: test, or train */
  float values[];  /* logits [classes], labels [classes] */
} ls_output;

/** In the order of the samples; rows of a size that depends on the classes. */
typedef struct ls_outputs {
  unsigned char *rows; /* [count * row_bytes] ls_output; owned by whoever made them */
  size_t count, row_bytes, classes;
} ls_outputs;

static inline const ls_output *ls_outputs_row(const ls_outputs *outputs, size_t i)
{
  return (const ls_output *)(const void *)(outputs->rows + i * outputs->row_bytes);
}

/** Fill in everything but `epoch`, for labels that are not classes. Local. Errors: LS_E_MEMORY. */
ls_status ls_metrics_derive_outputs(ls_metrics *metrics, double loss, const ls_outputs *outputs) LS_CHECKED;

/** Fill in everything but `epoch` and the confusion matrix: from that, the mean loss and negative
 * log-likelihood, and the calibration. Local. */
void ls_metrics_derive(ls_metrics *metrics, double loss, double nll, const ls_calibration *calibration);

/** A figure of a split. */
typedef struct ls_split_figure {
  const char *name;   /* its key in JSON */
  const char *phrase; /* how the report's second line calls it; NULL: it is not there */
  size_t offset;      /* of its double in an ls_metrics */
} ls_split_figure;

/** A figure of each class. */
typedef struct ls_class_figure {
  const char *name; /* its key in JSON, and the head of its column */
  bool is_fraction; /* which people are shown in per cent */
  size_t offset;    /* of its double in an ls_class_metrics */
} ls_class_figure;

/** Those of labels of a form, in the order in which they are listed; the last has no name. */
const ls_split_figure *ls_split_figures(ls_label_form labels);
const ls_class_figure *ls_class_figures(ls_label_form labels);

/** What a figure is. */
double ls_split_figure_of(const ls_metrics *metrics, const ls_split_figure *figure);
double ls_class_figure_of(const ls_class_metrics *class, const ls_class_figure *figure);

#endif
