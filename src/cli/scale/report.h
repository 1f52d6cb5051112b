/* SPDX-License-Identifier: BSD-3-Clause */
/* The output of lockstep scale: tables on standard output, and files. */
#ifndef LS_CLI_SCALE_REPORT_H
#define LS_CLI_SCALE_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "base/text.h"
#include "study/scale.h"
#include "study/scale_model.h"

/** What there is to report; borrowed. */
typedef struct ls_scale_report {
  const ls_scale_options *options;
  const ls_scale_data *data;
  const ls_scale_model *models;                                             /* [options->thread_count] */
  ls_scale_prediction (*predictions)[LS_SCALE_MODES][LS_SCALE_PREDICTIONS]; /* [thread_count]; of modes
                                                                                     that were asked for */
  size_t best; /* of the numbers of threads: the fastest on all ranks */
  const ls_straggler *straggler;
} ls_scale_report;

/** Words of the modes: "strong", "weak". */
extern const char *const ls_scale_mode_words[LS_SCALE_MODES];

/** Samples per second, against one rank with as many threads; NAN if that was not measured. */
double ls_scale_speedup(const ls_scale_data *data, const ls_scale_point *point);

/** Is a model's misfit too large for predictions? They are not reported then.
 */
bool ls_scale_is_doubtful(const ls_scale_model *model);

/** Append everything, for people. Rank 0. */
void ls_scale_report_text(const ls_scale_report *report, ls_text *text);

/** Write scaling.h5, a CSV file for each of its tables, and scaling.svg by gnuplot from scaling.gp, into a
 * folder that exists; predictions only by models that are not doubtful. *has_figure: gnuplot is there and did
 * its part. Rank 0. Errors: LS_E_IO, LS_E_MEMORY.
 */
ls_status ls_scale_report_write(const ls_scale_report *report, const char *folder, const char *config,
                                bool *has_figure) LS_CHECKED;

#endif
