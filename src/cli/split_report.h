/* SPDX-License-Identifier: BSD-3-Clause */
/* Evaluates checkpoints on a split of a dataset, one or several that vote, and reports the figures. */
#ifndef LS_CLI_SPLIT_REPORT_H
#define LS_CLI_SPLIT_REPORT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/text.h"
#include "cli/process/watch.h"
#include "comm/comm.h"
#include "eval/evaluate.h"
#include "eval/session.h"

/** In the order in which it is made; zero-initialize it. */
typedef struct ls_split_report {
  ls_session session;
  ls_group group;
  ls_evaluation evaluation;
  const char **class_names; /* rank 0; NULL: the dataset has none */
} ls_split_report;

/** How it is made, apart from the session's own options. */
typedef struct ls_split_report_options {
  ls_session_options session;
  bool reported_data; /* warnings about the data have been printed already */
  bool predictions;   /* the prediction of each sample is wanted, too */
} ls_split_report_options;

/** Print, on standard error, which checkpoints were taken. For any number of ranks and any status of
 * ls_session_open(). */
void ls_session_print_notes(const ls_session *session);

/** Warn about the data, and about networks that were trained on other classes. Rank 0. */
void ls_session_warn(const ls_session *session, bool reported_data);

/** Load the checkpoints and evaluate them; `watch` takes the times of the first one. On error the caller
 * still calls ls_split_report_close().
 *
 * Collective. Errors: LS_E_INPUT if a checkpoint is damaged, does not fit the data, or the split has no
 * samples; LS_E_CONFIG, LS_E_IO, LS_E_MEMORY, LS_E_COMM.
 */
ls_status ls_split_report_make(ls_split_report *out, ls_comm *comm, const ls_split_report_options *options,
                               const ls_watch *watch) LS_CHECKED;
void ls_split_report_close(ls_split_report *report);

/** Append the report for people. Rank 0. */
void ls_split_report_add(const ls_split_report *report, ls_text *text);

/** Append the predictions as CSV: index,label,class,probability,class_name; a line each, in the order of the
 * samples. Without class names those are the numbers. Rank 0. */
void ls_split_report_add_csv(const ls_split_report *report, ls_text *csv);

/** Add the split's metrics under its name, and "ensemble" where there are several. False without memory.
 * Rank 0. */
bool ls_split_report_add_json(const ls_split_report *report, json_t *document);

#endif
