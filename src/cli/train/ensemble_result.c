/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/train/ensemble_result.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/show.h"
#include "draw/chart.h"
#include "cli/split_report.h"
#include "cli/data_options.h"
#include "cli/print.h"
#include "eval/report/json.h"
#include "base/files/temporary.h"
#include "eval/report/metrics_report.h"

ls_status ls_ensemble_result_init(ls_ensemble_result *result)
{
  result->failed = json_array();
  if (!result->failed) return ls_fail(LS_E_MEMORY, "no memory for the ensemble's results");
  return ls_alloc(&result->paths, result->members, sizeof *result->paths, "the members' checkpoints");
}

void ls_ensemble_result_fini(ls_ensemble_result *result)
{
  for (size_t i = 0; result->paths && i < result->count; i++) ls_text_fini(&result->paths[i]);
  free(result->paths);
  json_decref(result->failed);
}

void ls_ensemble_result_add(ls_ensemble_result *result, const char *fmt, ...)
{
  char path[4096];
  va_list args;
  va_start(args, fmt);
  vsnprintf(path, sizeof path, fmt, args);
  va_end(args);
  ls_text_add(&result->paths[result->count++], "%s", path);
}

void ls_ensemble_result_fail(ls_ensemble_result *result, size_t member, const char *error)
{
  result->failures++;
  json_array_append_new(result->failed,
                        json_pack("{s:I, s:o}", "member", (json_int_t)member, "error", ls_json_text(error)));
}

static ls_status write_text(const ls_ensemble_result *result, const char *name, ls_text *text)
{
  const ls_status status = text->failed
                               ? ls_fail(LS_E_MEMORY, "no memory for '%s'", name)
                               : ls_directory_write(result->run_dir, name, ls_text_get(text), text->length);
  ls_text_fini(text);
  return status;
}

static ls_status write_json(const ls_ensemble_result *result, const ls_split_report *split)
{
  json_t *document =
      json_pack("{s:I, s:O}", "members", (json_int_t)result->members, "failed", result->failed);
  const bool fine = document && ls_split_report_add_json(split, document) &&
                    json_array_size(result->failed) == result->failures;
  char *text;
  if (!fine) {
    json_decref(document);
    return ls_fail(LS_E_MEMORY, "no memory for ensemble.json");
  }
  LS_PASS(ls_json_take(document, JSON_INDENT(2) | JSON_REAL_PRECISION(10), &text));
  ls_text contents = {0};
  ls_text_add(&contents, "%s\n", text);
  free(text);
  return write_text(result, "ensemble.json", &contents);
}

/* Reliability of the soft vote; a disk's area shows the samples. */
static ls_status write_chart(const ls_ensemble_result *result, const ls_split_report *split)
{
  const ls_calibration *soft = &split->evaluation.ensemble->soft;
  ls_chart_point points[LS_CALIBRATION_BINS];
  char title[96];
  ls_chart_line line = {.points = points};
  const ls_chart chart = {.title = title,
                          .x_label = "confidence",
                          .y_label = "accuracy",
                          .largest_x = 1,
                          .lines = &line,
                          .count = 1,
                          .diagonal = true};
  for (size_t i = 0; i < LS_CALIBRATION_BINS; i++) {
    const ls_reliability_bin *bin = &soft->bins[i];
    const double samples = (double)bin->samples;
    if (bin->samples == 0) continue;
    points[line.count++] = (ls_chart_point){.x = ls_reliability_confidence(bin),
                                            .y = ls_reliability_accuracy(bin),
                                            .weight = samples / (double)soft->samples};
  }
  ls_format(title, sizeof title, "accuracy of the soft vote of %zu, %s: calibration error %.4f",
            split->evaluation.ensemble->members, ls_eval_split_words[result->split],
            ls_calibration_error(soft));
  ls_text svg = {0};
  ls_chart_svg(&chart, &svg);
  return write_text(result, "reliability.svg", &svg);
}

/* Rank 0. */
static ls_status report(const ls_ensemble_result *result, const ls_split_report *split)
{
  ls_text report = {0};
  bool moved;
  LS_TRY(ls_directory_follow(result->run_dir, &moved), "the run directory");
  ls_text_add(&report, "\n");
  ls_split_report_add(split, &report);
  ls_text_show(&report, "\nresults in %s\n", result->run_dir->path);
  LS_PASS(ls_print_text(&report));
  fflush(stdout);
  LS_PASS(write_json(result, split));
  return split->evaluation.ensemble ? write_chart(result, split) : LS_OK;
}

static ls_status list_paths(const ls_ensemble_result *result, const char ***out)
{
  LS_PASS(ls_alloc(out, result->count, sizeof **out, "the members' checkpoints"));
  for (size_t i = 0; i < result->count; i++) {
    if (result->paths[i].failed) return ls_fail(LS_E_MEMORY, "no memory for the members' checkpoints");
    (*out)[i] = ls_text_get(&result->paths[i]);
  }
  return LS_OK;
}

ls_status ls_ensemble_result_finish(ls_ensemble_result *result, ls_comm *comm)
{
  const char **paths = NULL;
  ls_split_report split = {.class_names = NULL};
  ls_watch watch = {.watchdog = NULL};
  ls_status status = LS_OK;
  if (result->count == 0) return LS_OK;
  if (!ls_comm_activity(comm)) LS_GO(ls_watch_begin(&watch, comm, NULL));
  LS_GO(ls_comm_agree(comm, list_paths(result, &paths)));
  const ls_split_report_options options = {.session = {.checkpoints = paths,
                                                       .count = result->count,
                                                       .expands = true,
                                                       .fits_weights = true,
                                                       .split = result->split},
                                           .reported_data = true};
  LS_GO(ls_split_report_make(&split, comm, &options, &watch));
  LS_GO(ls_comm_agree(comm, ls_comm_rank(comm) == 0 ? report(result, &split) : LS_OK));
done:
  ls_split_report_close(&split);
  ls_watch_end(&watch, comm, status);
  free(paths);
  return status;
}
