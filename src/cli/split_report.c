/* SPDX-License-Identifier: BSD-3-Clause */
/* Evaluated checkpoints, for people and for programs. */
#include "cli/split_report.h"

#include <inttypes.h>
#include <stdlib.h>

#include "cli/class_names.h"
#include "cli/data_options.h"
#include "cli/print.h"
#include "eval/report/metrics_report.h"

void ls_session_print_notes(const ls_session *session)
{
  ls_print_each(stderr, "lockstep: ", &session->notes);
}

void ls_session_warn(const ls_session *session, bool reported_data)
{
  if (!reported_data) ls_warn_each("", ls_source_notes(session->source));
  ls_warn_each("", &session->other_classes);
}

/* Networks, data and samples. Collective. */
static ls_status open(ls_split_report *report, ls_comm *comm, const ls_split_report_options *options,
                      const ls_watch *watch)
{
  ls_session *session = &report->session;
  LS_PASS(ls_session_find(session, comm, &options->session));
  const ls_status status = ls_session_open(session, comm);
  ls_session_print_notes(session);
  LS_PASS(status);
  ls_watch_adopt(watch, &session->networks[0].spec->train);
  LS_PASS(ls_session_open_data(session, comm));
  if (ls_comm_rank(comm) == 0) ls_session_warn(session, options->reported_data);
  ls_activity_enter(ls_comm_activity(comm), "loading the data");
  return ls_session_load(&report->group, comm, session, 0, session->count);
}

ls_status ls_split_report_make(ls_split_report *report, ls_comm *comm, const ls_split_report_options *options,
                               const ls_watch *watch)
{
  LS_PASS(open(report, comm, options, watch));
  ls_activity_enter(ls_comm_activity(comm), "evaluating");
  const ls_evaluation_options evaluation = {.split = options->session.split,
                                            .predictions = options->predictions,
                                            .fits_weights = report->session.fits_weights};
  LS_PASS(ls_evaluate(&report->evaluation, comm, &report->group.members, report->group.loader, &evaluation));
  LS_ROOT(comm, ls_class_names_of(&report->class_names, ls_source_info(report->session.source)));
  return LS_OK;
}

void ls_split_report_close(ls_split_report *report)
{
  free(report->class_names);
  ls_evaluation_fini(&report->evaluation);
  ls_group_close(&report->group);
  ls_session_close(&report->session);
}

static const char *split_word(const ls_split_report *report)
{
  return ls_eval_split_words[report->session.options.split];
}

void ls_split_report_add(const ls_split_report *report, ls_text *text)
{
  const ls_evaluation *evaluation = &report->evaluation;
  ls_metrics_report(evaluation->metrics, split_word(report), report->class_names, text);
  if (evaluation->ensemble) ls_ensemble_report(evaluation->ensemble, report->session.names, text);
}

/* Of labels that are not classes: what they are, and the probability or value that the network gives for
 * each. */
static void add_outputs_csv(const ls_split_report *report, ls_text *csv)
{
  const ls_outputs *outputs = &report->evaluation.outputs;
  const ls_loss_kind *loss = report->session.networks[0].network.loss.kind;
  ls_text_add(csv, "index");
  for (size_t k = 0; k < outputs->classes; k++) ls_text_add(csv, ",label_%zu,output_%zu", k, k);
  ls_text_add(csv, "\n");
  for (size_t i = 0; i < outputs->count; i++) {
    const ls_output *row = ls_outputs_row(outputs, i);
    ls_text_add(csv, "%" PRIu64, row->sample);
    for (size_t k = 0; k < outputs->classes; k++) {
      float output;
      loss->outputs(&row->values[k], 1, 1, &output);
      ls_text_add(csv, ",%.9g,%.9g", (double)row->values[outputs->classes + k], (double)output);
    }
    ls_text_add(csv, "\n");
  }
}

void ls_split_report_add_csv(const ls_split_report *report, ls_text *csv)
{
  const ls_predictions *predictions = &report->evaluation.predictions;
  if (report->evaluation.outputs.rows) {
    add_outputs_csv(report, csv);
    return;
  }
  ls_text_add(csv, "index,label,class,probability,class_name\n");
  for (size_t i = 0; i < predictions->count; i++) {
    const ls_prediction *item = &predictions->items[i];
    ls_text_add(csv, "%" PRIu64 ",%u,%u,%.9g,", item->sample, (unsigned)item->label, (unsigned)item->class,
                item->probability);
    if (report->class_names)
      ls_text_add_csv(csv, report->class_names[item->class]);
    else
      ls_text_add(csv, "%u", (unsigned)item->class);
    ls_text_add(csv, "\n");
  }
}

bool ls_split_report_add_json(const ls_split_report *report, json_t *document)
{
  const ls_evaluation *evaluation = &report->evaluation;
  bool fine = json_object_set_new(document, split_word(report),
                                  ls_metrics_json(evaluation->metrics, report->class_names)) == 0;
  if (evaluation->ensemble)
    fine &= json_object_set_new(document, "ensemble",
                                ls_ensemble_json(evaluation->ensemble, report->session.names)) == 0;
  return fine;
}
