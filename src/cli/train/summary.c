/* SPDX-License-Identifier: BSD-3-Clause */
/* The results of a run, for people (standard output) and for programs (summary.json). */
#include "cli/train/summary.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/text.h"
#include "cli/class_names.h"
#include "cli/print.h"
#include "eval/report/json.h"
#include "base/files/temporary.h"
#include "eval/report/metrics_report.h"

/* Metrics of a split, printed when `title` is given, added to the document. */
static ls_status add_split(json_t *document, const char *key, bool printed, const ls_metrics *metrics,
                           const char *const *names)
{
  ls_status status = LS_OK;
  if (printed) {
    ls_text report = {0};
    ls_metrics_report(metrics, key, names, &report);
    status = ls_print_text(&report);
  }
  if (status == LS_OK && json_object_set_new(document, key, ls_metrics_json(metrics, names)) != 0)
    status = ls_fail(LS_E_MEMORY, "no memory for the summary");
  return status;
}

static json_t *facts_json(const ls_run_facts *facts, const ls_train_result *result)
{
  return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:f, s:f, s:I, s:I}", "name", facts->spec->name,
                   "weights_digest", result->weights_digest, "checkpoint", result->checkpoint, "epochs",
                   (json_int_t)result->progress.epoch, "steps", (json_int_t)result->progress.step, "ranks",
                   (json_int_t)facts->ranks, "threads", (json_int_t)facts->threads, "seconds",
                   result->progress.seconds, "samples_per_second", result->samples_per_second, "parameters",
                   (json_int_t)facts->parameters, "seed", (json_int_t)facts->spec->seed);
}

/* What only some runs have. */
static bool add_origins(json_t *document, const ls_spec *spec, const ls_train_result *result)
{
  bool fine = true;
  if (result->ema_digest[0])
    fine &= json_object_set_new(document, "ema_digest", json_string(result->ema_digest)) == 0;
  if (result->init_digest[0])
    fine &= json_object_set_new(
                document, "init_from",
                json_pack("{s:s, s:s}", "file", spec->model.init_from, "digest", result->init_digest)) == 0;
  return fine;
}

/* Seconds of each rank. */
static json_t *seconds_json(const ls_balance *balance, double (*seconds)(const ls_balance *, size_t))
{
  json_t *list = json_array();
  for (size_t r = 0; r < balance->ranks; r++)
    if (json_array_append_new(list, json_real(seconds(balance, r))) != 0) {
      json_decref(list);
      return NULL;
    }
  return list;
}

/* The rank that the others waited for in this session; none if it took no step. */
static ls_status add_balance(json_t *document, const ls_run_facts *facts, const ls_balance *balance)
{
  ls_straggler slowest;
  if (balance->steps == 0) return LS_OK;
  LS_PASS(ls_balance_slowest(balance, &slowest));
  const char *host = balance->loads[slowest.rank].host;
  if (slowest.is_marked && !*facts->label) ls_print(stdout, "\n");
  if (slowest.is_marked)
    ls_print(
        stdout,
        "%sstraggler: rank %zu on %s took %.2f times as long as the median of the others to compute; they "
        "waited %.1f s for it\n",
        facts->label, slowest.rank, host, slowest.ratio, slowest.waited_s);
  json_t *item =
      json_pack("{s:I, s:o, s:o, s:I, s:s, s:f, s:b}", "steps", (json_int_t)balance->steps, "busy_seconds",
                seconds_json(balance, ls_balance_busy_s), "waited_seconds",
                seconds_json(balance, ls_balance_waited_s), "slowest_rank", (json_int_t)slowest.rank,
                "slowest_host", host, "slowest_ratio", slowest.ratio, "straggler", (int)slowest.is_marked);
  return json_object_set_new(document, "balance", item) == 0
             ? LS_OK
             : ls_fail(LS_E_MEMORY, "no memory for the summary");
}

static ls_status write_document(const ls_run_facts *facts, json_t *document)
{
  char *text;
  LS_PASS(ls_json_take(json_incref(document), JSON_INDENT(2) | JSON_REAL_PRECISION(10), &text));
  ls_text contents = {0};
  ls_text_add(&contents, "%s\n", text);
  ls_status status = contents.failed ? ls_fail(LS_E_MEMORY, "no memory for the summary")
                                     : ls_directory_write(facts->run_dir, "summary.json",
                                                          ls_text_get(&contents), contents.length);
  ls_text_fini(&contents);
  free(text);
  return status;
}

/* The metrics of each evaluated split in the document, and those of one on the terminal. */
static ls_status add_splits(json_t *document, const ls_run_facts *facts, const ls_train_result *result)
{
  const bool alone = !*facts->label;
  const ls_metrics *const *splits = (const ls_metrics *const *)result->splits.splits;
  const char **names;
  LS_PASS(ls_class_names_of(&names, facts->data));
  ls_status status = LS_OK;
  if (result->has_validation)
    status =
        add_split(document, "validation", alone && !result->has_test, splits[LS_METRICS_VALIDATION], names);
  if (status == LS_OK && result->has_test)
    status = add_split(document, "test", alone, splits[LS_METRICS_TEST], names);
  else if (status == LS_OK && json_object_set_new(document, "test", json_null()) != 0)
    status = ls_fail(LS_E_MEMORY, "no memory for the summary");
  free(names);
  return status;
}

static void print_end(const ls_run_facts *facts, const ls_train_result *result)
{
  const bool alone = !*facts->label;
  if (alone && !result->has_test) ls_print(stdout, "\ntest: the dataset has no test split\n");
  if (alone) ls_print(stdout, "\n");
  ls_print(stdout, "%s%zu epoch%s in %.1f s, %.0f samples/s; weights %s\n", facts->label,
           (size_t)result->progress.epoch, ls_plural(result->progress.epoch), result->progress.seconds,
           result->samples_per_second, result->weights_digest);
  if (alone) ls_print(stdout, "results in %s\n", facts->run_dir->path);
  fflush(stdout);
}

ls_status ls_summary_finish(const ls_run_facts *facts, const ls_train_result *result)
{
  json_t *document = facts_json(facts, result);
  ls_status status = document && add_origins(document, facts->spec, result)
                         ? LS_OK
                         : ls_fail(LS_E_MEMORY, "no memory for the summary");
  if (status == LS_OK) status = add_splits(document, facts, result);
  if (status == LS_OK) status = add_balance(document, facts, &result->balance);
  if (status == LS_OK) status = write_document(facts, document);
  if (status == LS_OK) print_end(facts, result);
  json_decref(document);
  return status;
}
