/* SPDX-License-Identifier: BSD-3-Clause */
/* An ensemble as JSON. Building goes on after a failed allocation, since jansson's functions pass NULL
 * through; the root is checked once, at the end. */
#include "eval/ensemble.h"
#include "eval/report/json.h"

#include "eval/report/metrics_report.h"

static json_t *figures_json(const ls_calibration *figures)
{
  json_t *json = json_object();
  for (const ls_calibration_figure *row = ls_calibration_figures; row->name; row++) {
    if (json_object_set_new(json, row->name, json_real(row->value(figures))) == 0) continue;
    json_decref(json);
    return NULL;
  }
  return json;
}

static json_t *members_json(const ls_ensemble *ensemble, const char *const *names)
{
  json_t *array = json_array();
  for (size_t m = 0; m < ensemble->members; m++) {
    json_t *member = figures_json(&ensemble->each[m]);
    if (json_object_set_new(member, "name", ls_json_text(names[m])) == 0)
      json_array_append_new(array, member);
    else
      json_decref(member);
  }
  return ls_json_complete(array, ensemble->members);
}

static json_t *reals_json(const double *values, size_t count)
{
  json_t *array = json_array();
  for (size_t i = 0; i < count; i++) json_array_append_new(array, json_real(values[i]));
  return ls_json_complete(array, count);
}

static json_t *weighted_json(const ls_ensemble *ensemble)
{
  if (!ensemble->weights) return json_null();
  json_t *weighted = figures_json(&ensemble->fitted);
  if (json_object_set_new(weighted, "weights", reals_json(ensemble->weights, ensemble->members)) == 0)
    return weighted;
  json_decref(weighted);
  return NULL;
}

static json_t *disagreements_json(const ls_ensemble *ensemble)
{
  json_t *rows = json_array();
  for (size_t m = 0; m < ensemble->members; m++)
    json_array_append_new(rows,
                          reals_json(ensemble->disagreement + m * ensemble->members, ensemble->members));
  return ls_json_complete(rows, ensemble->members);
}

static json_t *reliability_json(const ls_calibration *figures)
{
  json_t *bins = json_array();
  size_t filled = 0;
  for (size_t i = 0; i < LS_CALIBRATION_BINS; i++) {
    const ls_reliability_bin *bin = &figures->bins[i];
    if (bin->samples == 0) continue;
    filled++;
    json_array_append_new(bins, json_pack("{s:I, s:f, s:f}", "samples", (json_int_t)bin->samples,
                                          "confidence", ls_reliability_confidence(bin), "accuracy",
                                          ls_reliability_accuracy(bin)));
  }
  return ls_json_complete(bins, filled);
}

json_t *ls_ensemble_json(const ls_ensemble *ensemble, const char *const *names)
{
  const double gain = ls_calibration_accuracy(&ensemble->soft) - ls_ensemble_mean_accuracy(ensemble);
  return json_pack("{s:o, s:o, s:{s:f}, s:o, s:f, s:f, s:o, s:o}", "members", members_json(ensemble, names),
                   "soft", figures_json(&ensemble->soft), "hard", "accuracy", ensemble->hard, "weighted",
                   weighted_json(ensemble), "gain", gain, "disagreement", ls_ensemble_disagreement(ensemble),
                   "disagreements", disagreements_json(ensemble), "reliability",
                   reliability_json(&ensemble->soft));
}
