/* SPDX-License-Identifier: BSD-3-Clause */
/* lockstep data info: the contents of a dataset, from one pass over it. Rank 0 alone works. */
#include <argp.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/data/data_command.h"
#include "cli/print.h"
#include "cli/data_options.h"
#include "cli/sample_display.h"
#include "data/kinds.h"
#include "data/source.h"
#include "data/survey.h"
#include "eval/report/json.h"

enum { KEY_JSON = 256 };

static const double pixel_one = 255; /* the pixel that is 1 as a fraction */

typedef struct info_arguments {
  const char *where;
  bool json;
  ls_reading reading;
} info_arguments;

static error_t check_complete(const info_arguments *given, struct argp_state *state)
{
  if (!given->where) argp_error(state, "no dataset given: a catalogue name, a folder or an .h5 file");
  return given->where ? 0 : EINVAL;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
  info_arguments *given = state->input;
  if (key == ARGP_KEY_INIT)
    state->child_inputs[0] = &given->reading;
  else if (key == KEY_JSON)
    given->json = true;
  else if (key == ARGP_KEY_ARG)
    return ls_dataset_parse(&given->where, value, state);
  else if (key == ARGP_KEY_END)
    return check_complete(given, state);
  else
    return ARGP_ERR_UNKNOWN;
  return 0;
}

static const struct argp_option options[] = {
    {"json", KEY_JSON, NULL, 0, "Print one JSON document and nothing else", 0}, {0}};

static const struct argp_child children[] = {{&ls_reading_argp, 0, NULL, 0}, {0}};

static const struct argp argp = {
    .options = options,
    .parser = parse_option,
    .children = children,
    .args_doc = "SRC",
    .doc = "Describe a dataset: format, shape, samples per split and class, mean and standard deviation per "
           "channel, and a digest of the contents. The digest does not depend on the format: files and their "
           "import have the same.\v"
           "SRC is a name of the catalogue, a folder of " LS_FOLDER_FORMATS " files, or an .h5 dataset; of "
           "several datasets in a folder, FOLDER/BEGINNING of the names of the files.\n"
           "\n"
           "Examples:\n"
           "  lockstep data info fashion-mnist\n"
           "  lockstep data info data/mnist.h5 --json\n"};

/* ---- for people ---- */

static void print_channels(const char *title, const ls_dataset_info *info, const double *values)
{
  ls_print(stdout, "  %s", title);
  for (size_t c = 0; c < info->channels; c++) ls_print(stdout, "  %.4f", values[c] / pixel_one);
  ls_print(stdout, "   of 1;");
  for (size_t c = 0; c < info->channels; c++) ls_print(stdout, "  %7.3f", values[c]);
  ls_print(stdout, "   of 255\n");
}

static const char *name_of(const ls_dataset_info *info, size_t k)
{
  return info->class_names ? info->class_names[k] : "";
}

static void print_classes(const ls_dataset_info *info, const ls_survey *survey)
{
  ls_print(stdout, "\n%5s  %-*s %10s %10s\n", info->labels == LS_LABELS_CLASS ? "class" : "label",
           LS_CLASS_NAME_BYTES - 8, info->class_names ? "name" : "", ls_split_words[LS_SPLIT_TRAIN],
           ls_split_words[LS_SPLIT_TEST]);
  for (size_t k = 0; k < info->classes; k++)
    ls_print(stdout, "%5zu  %-*s %10zu %10zu\n", k, LS_CLASS_NAME_BYTES - 8, name_of(info, k),
             survey->splits[LS_SPLIT_TRAIN].per_class[k], survey->splits[LS_SPLIT_TEST].per_class[k]);
}

static void print_values(const ls_dataset_info *info, const ls_survey *survey)
{
  ls_print(stdout, "\n%5s  %-*s %7s %12s %12s %12s %12s\n", "value", LS_CLASS_NAME_BYTES - 8,
           info->class_names ? "name" : "", "split", "least", "most", "mean", "std");
  for (size_t k = 0; k < info->classes; k++)
    for (size_t split = 0; split < LS_SPLIT_COUNT; split++) {
      const ls_value_survey *value = &survey->splits[split].values[k];
      if (info->count[split] > 0)
        ls_print(stdout, "%5zu  %-*s %7s %12.6g %12.6g %12.6g %12.6g\n", k, LS_CLASS_NAME_BYTES - 8,
                 name_of(info, k), ls_split_words[split], value->least, value->most, value->mean,
                 value->deviation);
    }
}

/* What there is of labels: "classes  10". */
static void print_labels(const ls_dataset_info *info)
{
  static const char *const rest[] = {[LS_LABELS_CLASS] = "",
                                     [LS_LABELS_SEVERAL] = ", of which an image has several, or none",
                                     [LS_LABELS_VALUES] = " for each image"};
  ls_print(stdout, "%-8s %zu%s\n", ls_label_nouns[info->labels], info->classes, rest[info->labels]);
}

static ls_status print_text(const ls_dataset_info *info, const ls_survey *survey)
{
  ls_print(stdout, "name     %s\n", info->name);
  ls_print(stdout, "format   %s\n", info->format);
  ls_print(stdout, "images   %zux%zux%zu (channels, height, width), uint8\n", info->channels, info->height,
           info->width);
  if (info->is_transposed)
    ls_print(stdout, "         the files hold them by columns: they are turned when read\n");
  print_labels(info);
  if (info->first_label > 0) ls_print(stdout, "         the files number them from %zu\n", info->first_label);
  ls_print(stdout, "digest   %s\n", survey->digest);
  for (size_t split = 0; split < LS_SPLIT_COUNT; split++) {
    ls_print(stdout, "\n%s: %zu sample%s\n", ls_split_words[split], info->count[split],
             ls_plural(info->count[split]));
    if (info->count[split] == 0) continue;
    print_channels("mean", info, survey->splits[split].mean);
    print_channels("std ", info, survey->splits[split].deviation);
  }
  if (info->labels == LS_LABELS_VALUES)
    print_values(info, survey);
  else
    print_classes(info, survey);
  return LS_OK;
}

/* ---- for programs ---- */

/* Values per channel as an array, divided by `unit`. jansson passes NULL on, so lists and the whole are
 * checked. */
static json_t *channels_json(const ls_dataset_info *info, const double *values, double unit)
{
  json_t *array = json_array();
  for (size_t c = 0; c < info->channels; c++) json_array_append_new(array, json_real(values[c] / unit));
  return ls_json_complete(array, info->channels);
}

static json_t *values_json(const ls_dataset_info *info, const ls_value_survey *values)
{
  json_t *list = json_array();
  for (size_t k = 0; k < info->classes; k++)
    json_array_append_new(list,
                          json_pack("{s:f, s:f, s:f, s:f}", "least", values[k].least, "most", values[k].most,
                                    "mean", values[k].mean, "std", values[k].deviation));
  return ls_json_complete(list, info->classes);
}

static json_t *counts_json(const ls_dataset_info *info, const size_t *per_class)
{
  json_t *list = json_array();
  for (size_t k = 0; k < info->classes; k++)
    json_array_append_new(list, json_integer((json_int_t)per_class[k]));
  return ls_json_complete(list, info->classes);
}

static json_t *split_json(const ls_dataset_info *info, const ls_split_survey *survey, size_t count)
{
  return json_pack(
      "{s:I, s:o, s:o, s:o, s:o, s:o}", "count", (json_int_t)count, survey->values ? "values" : "per_class",
      survey->values ? values_json(info, survey->values) : counts_json(info, survey->per_class), "mean",
      channels_json(info, survey->mean, pixel_one), "std", channels_json(info, survey->deviation, pixel_one),
      "mean_pixel", channels_json(info, survey->mean, 1), "std_pixel",
      channels_json(info, survey->deviation, 1));
}

/* JSON texts are UTF-8; a folder's name need not be. */
static json_t *text_json(const char *text)
{
  return ls_json_takes(text, strlen(text)) ? json_string(text) : json_null();
}

static json_t *names_json(const ls_dataset_info *info)
{
  if (!info->class_names) return json_null();
  json_t *names = json_array();
  for (size_t k = 0; k < info->classes; k++) json_array_append_new(names, text_json(info->class_names[k]));
  return ls_json_complete(names, info->classes);
}

static ls_status print_json(const ls_dataset_info *info, const ls_survey *survey)
{
  json_t *splits = json_object();
  bool fine = splits != NULL;
  for (size_t split = 0; split < LS_SPLIT_COUNT; split++)
    fine &= json_object_set_new(splits, ls_split_words[split],
                                split_json(info, &survey->splits[split], info->count[split])) == 0;
  json_t *document = json_pack(
      "{s:o, s:s, s:[I,I,I], s:b, s:I, s:s, s:I, s:o, s:o, s:s}", "name", text_json(info->name), "format",
      info->format, "shape", (json_int_t)info->channels, (json_int_t)info->height, (json_int_t)info->width,
      "transposed", info->is_transposed, "first_label", (json_int_t)info->first_label, "labels",
      ls_label_words[info->labels], "classes", (json_int_t)info->classes, "class_names", names_json(info),
      "splits", splits, "digest", survey->digest);
  if (!fine) {
    json_decref(document);
    document = NULL;
  }
  return ls_print_document(document, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
}

/* Rank 0. */
static ls_status describe(const info_arguments *given)
{
  ls_source *source;
  ls_survey survey;
  LS_PASS(ls_source_open_as(&source, given->where, &given->reading));
  ls_warn_each("", ls_source_notes(source));
  ls_sample_display display = ls_sample_display_of(stderr, "reading");
  const ls_ticker ticker = ls_sample_display_ticker(&display);
  ls_status status = ls_survey_make(&survey, source, display.terminal ? &ticker : NULL);
  ls_sample_display_finish(&display);
  if (status == LS_OK) {
    status = (given->json ? print_json : print_text)(ls_source_info(source), &survey);
    ls_survey_fini(&survey);
  }
  ls_source_close(source);
  return status;
}

static ls_status run(ls_comm *comm, int argc, char **argv)
{
  info_arguments given = {.json = false};
  bool done;
  LS_PASS(ls_command_parse(comm, &argp, argc, argv, &given, &done));
  if (!done) LS_ROOT(comm, describe(&given));
  return LS_OK;
}

const ls_command ls_data_info = {
    .word = "info", .doc = "describe a dataset: shape, counts, mean, digest", .run = run};
