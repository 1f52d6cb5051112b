/* SPDX-License-Identifier: BSD-3-Clause */
/* lockstep scale: how a configuration scales, measured in one job, and predicted beyond it. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files/file.h"
#include "base/files/directory.h"
#include "base/memory.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/print.h"
#include "cli/scale/report.h"
#include "cli/setup.h"
#include "cli/process/watch.h"

enum { KEY_MODE = 256, KEY_THREADS, KEY_SECONDS, KEY_OUTPUT = 'o' };

static const double DEFAULT_SECONDS = 4.0, MOST_SECONDS = 86400.0;

typedef struct scale_arguments {
  ls_setup_arguments setup;
  const char *output; /* argv's */
  bool modes[LS_SCALE_MODES];
  size_t threads[LS_SCALE_MOST_THREADS], thread_count; /* none: those of the rank's placement */
  double seconds;
} scale_arguments;

/* ---- arguments ---- */

static error_t refuse(struct argp_state *state, const char *option, const char *value, const char *expected)
{
  argp_error(state, "--%s %s: expected %s", option, value, expected);
  return EINVAL;
}

static error_t parse_mode(struct argp_state *state, scale_arguments *arguments, char *word)
{
  bool is_known = false;
  for (size_t m = 0; m < LS_SCALE_MODES; m++) {
    arguments->modes[m] = strcmp(word, ls_scale_mode_words[m]) == 0;
    is_known |= arguments->modes[m];
  }
  return is_known ? 0 : refuse(state, "mode", word, "strong or weak");
}

static bool is_listed(const scale_arguments *arguments, size_t threads)
{
  for (size_t i = 0; i < arguments->thread_count; i++)
    if (arguments->threads[i] == threads) return true;
  return false;
}

static error_t parse_threads(struct argp_state *state, scale_arguments *arguments, char *list)
{
  static const char expected[] =
      "different counts from 1 to 4096 with commas between them, at most 16, such as 1,2";
  arguments->thread_count = 0;
  for (const char *item = list; item; item = strchr(item, ',') ? strchr(item, ',') + 1 : NULL) {
    char text[32];
    uint64_t count = 0;
    const int length = snprintf(text, sizeof text, "%.*s", (int)strcspn(item, ","), item);
    const bool fits = length >= 0 && (size_t)length < sizeof text && ls_parse_count(text, &count);
    if (!fits || count == 0 || count > LS_THREADS_LIMIT || is_listed(arguments, count) ||
        arguments->thread_count == LS_SCALE_MOST_THREADS)
      return refuse(state, "threads", list, expected);
    arguments->threads[arguments->thread_count++] = count;
  }
  return 0;
}

static error_t parse_seconds(struct argp_state *state, scale_arguments *arguments, char *value)
{
  double *seconds = &arguments->seconds;
  if (ls_parse_real(value, seconds) && *seconds > 0.0 && *seconds <= MOST_SECONDS) return 0;
  return refuse(state, "seconds", value, "a number above 0");
}

static error_t take_output(struct argp_state *state, scale_arguments *arguments, char *value)
{
  (void)state;
  arguments->output = ls_command_folder(value);
  return 0;
}

static error_t take_argument(struct argp_state *state, scale_arguments *arguments, char *value)
{
  return ls_setup_parse(&arguments->setup, value, state);
}

static error_t check_complete(struct argp_state *state, scale_arguments *arguments, char *value)
{
  (void)value;
  return ls_setup_check(&arguments->setup, state);
}

static const struct {
  int key;
  error_t (*take)(struct argp_state *state, scale_arguments *arguments, char *value);
} takers[] = {
    {KEY_MODE, parse_mode},    {KEY_THREADS, parse_threads},  {KEY_SECONDS, parse_seconds},
    {KEY_OUTPUT, take_output}, {ARGP_KEY_ARG, take_argument}, {ARGP_KEY_END, check_complete},
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
  for (size_t i = 0; i < sizeof takers / sizeof *takers; i++)
    if (takers[i].key == key) return takers[i].take(state, state->input, value);
  return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
    {"mode", KEY_MODE, "MODE", 0,
     "strong (the batch is the same on any number of ranks) or weak (a rank's part of it is); default: both",
     0},
    {"threads", KEY_THREADS, "LIST", 0, "Threads of a rank to try, such as 1,2,4 (default: those it has)", 0},
    {"seconds", KEY_SECONDS, "S", 0, "Time for measuring each number of ranks (default: 4)", 0},
    {"output", KEY_OUTPUT, "DIR", 0, "Write tables (scaling.h5, CSV) and a figure (scaling.svg) there", 0},
    {0}};

static const struct argp argp = {
    .options = options,
    .parser = parse_option,
    .args_doc = "CONFIG.yaml [key.path=value ...]",
    .doc = "Measure how a configuration scales over 1, 2, 4, ... ranks of one job, and predict it to 1024.\v"
           "Training steps, on data in memory, are measured on the first ranks, whole hosts first, while the "
           "others sleep. Prints samples per second, speed-up, efficiency, and the milliseconds of a step: "
           "computing, waiting for the slowest rank, summing, updating; medians of 7 windows. From these and "
           "from the time that sums of several lengths take, a model predicts other numbers of ranks, with "
           "error bars, where the efficiency falls below 80 %, and how an ensemble is best split over ranks. "
           "A rank that the others wait for is named.\n\n"
           "Examples:\n"
           "  mpirun -n 4 lockstep scale configs/lenet5.yaml -o runs/scaling\n"
           "  mpirun -n 8 lockstep scale configs/resnet20.yaml --mode strong \\\n"
           "    --threads 1,2,4\n"};

/* ---- the command ---- */

typedef struct scale_session {
  const scale_arguments *arguments;
  ls_setup setup;
  ls_watch watch;
  ls_scale_options options;
  ls_scale_data data;
  ls_scale_model models[LS_SCALE_MOST_THREADS];
  ls_scale_prediction (*predictions)[LS_SCALE_MODES][LS_SCALE_PREDICTIONS]; /* [thread_count] */
} scale_session;

/* Rank 0. */
static ls_status check_output(const char *folder)
{
  ls_text text = {0};
  char *path;
  if (!folder) return LS_OK;
  ls_text_add(&text, "%s/scaling.h5", folder);
  LS_PASS(ls_text_take(&text, &path));
  ls_file_kind kind;
  const ls_status status = ls_file_look(&kind, path);
  free(path);
  LS_PASS(status);
  if (kind != LS_FILE_NONE)
    return ls_fail(LS_E_USAGE, "%s holds a scaling study already: choose another folder with -o", folder);
  return ls_folder_make(folder);
}

/* The number of threads that is fastest on all ranks. */
static size_t find_best(const scale_session *session)
{
  const size_t batch = session->options.spec->train.batch;
  size_t best = 0;
  double best_s = 0.0;
  for (size_t t = 0; t < session->options.thread_count; t++) {
    const ls_scale_model *model = &session->models[t];
    const double step_s = ls_scale_predict(model, model->ranks, batch).parts[LS_SCALE_STEP];
    if (t > 0 && step_s >= best_s) continue;
    best = t;
    best_s = step_s;
  }
  return best;
}

/* Rank 0. */
static ls_status predict(scale_session *session)
{
  const ls_scale_options *wanted = &session->options;
  LS_PASS(ls_alloc(&session->predictions, wanted->thread_count, sizeof *session->predictions, "predictions"));
  for (size_t t = 0; t < wanted->thread_count; t++) {
    ls_scale_fit(&session->models[t], &session->data, wanted->threads[t]);
    for (size_t m = 0; m < LS_SCALE_MODES; m++)
      if (wanted->modes[m])
        LS_PASS(ls_scale_predict_all(&session->data, &session->models[t], (ls_scale_mode)m,
                                     wanted->spec->train.batch, session->predictions[t][m]));
  }
  return LS_OK;
}

/* Rank 0. */
static ls_status show(scale_session *session)
{
  const char *output = session->arguments->output;
  ls_straggler straggler;
  ls_text text = {0};
  bool has_figure = true;
  LS_PASS(predict(session));
  LS_PASS(ls_balance_slowest(&session->data.balance, &straggler));
  const ls_scale_report report = {.options = &session->options,
                                  .data = &session->data,
                                  .models = session->models,
                                  .predictions = session->predictions,
                                  .best = find_best(session),
                                  .straggler = &straggler};
  ls_scale_report_text(&report, &text);
  LS_PASS(ls_print_text(&text));
  if (!output) return LS_OK;
  LS_PASS(ls_scale_report_write(&report, output, session->setup.resolved, &has_figure));
  ls_print(stdout, "\ntables and figure in %s\n", output);
  if (!has_figure)
    ls_warn(
        "gnuplot has drawn no figure (apt-get install gnuplot-nox); `gnuplot scaling.gp` in %s does it later",
        output);
  return LS_OK;
}

static void choose_options(scale_session *session, ls_comm *comm)
{
  const scale_arguments *arguments = session->arguments;
  ls_scale_options *wanted = &session->options;
  *wanted = (ls_scale_options){.comm = comm,
                               .spec = session->setup.spec,
                               .source = session->setup.source,
                               .model = session->setup.model,
                               .thread_count = arguments->thread_count,
                               .seconds = arguments->seconds};
  memcpy(wanted->modes, arguments->modes, sizeof wanted->modes);
  memcpy(wanted->threads, arguments->threads, sizeof wanted->threads);
  if (wanted->thread_count > 0) return;
  wanted->threads[0] = session->setup.placement.threads;
  wanted->thread_count = 1;
}

/* The numbers of threads are parts of the measurements, so they have to be the same. Collective. */
static ls_status agree_on_threads(scale_session *session, ls_comm *comm)
{
  return ls_comm_broadcast(comm, session->options.threads, sizeof session->options.threads);
}

static ls_status run_prepared(ls_comm *comm, scale_session *session)
{
  const scale_arguments *arguments = session->arguments;
  ls_setup *setup = &session->setup;
  if (ls_comm_size(comm) == 1)
    return ls_fail(LS_E_USAGE,
                   "there is one rank, and nothing to compare it with; try: mpirun -n 2 lockstep scale");
  LS_PASS(ls_setup_single(setup, comm, &arguments->setup, &session->watch, "scale", stdout));
  LS_ROOT(comm, check_output(arguments->output));
  choose_options(session, comm);
  LS_PASS(agree_on_threads(session, comm));
  LS_PASS(ls_scale_measure(&session->options, &session->data));
  LS_ROOT(comm, show(session));
  return LS_OK;
}

static ls_status run(ls_comm *comm, int argc, char **argv)
{
  scale_arguments arguments = {.seconds = DEFAULT_SECONDS,
                               .modes = {[LS_SCALE_STRONG] = true, [LS_SCALE_WEAK] = true}};
  scale_session session = {.arguments = &arguments};
  bool done;
  ls_status status;
  LS_AGREE(comm, ls_setup_arguments_init(&arguments.setup, (size_t)argc));
  LS_GO(ls_command_parse(comm, &argp, argc, argv, &arguments, &done));
  if (!done) status = run_prepared(comm, &session);
done:
  ls_watch_end(&session.watch, comm, status);
  free(session.predictions);
  ls_scale_data_fini(&session.data);
  ls_setup_fini(&session.setup);
  ls_setup_arguments_fini(&arguments.setup);
  return status;
}

const ls_command ls_command_scale = {.word = "scale",
                                     .shares = true,
                                     .doc =
                                         "measure how a configuration scales over ranks, and predict beyond",
                                     .run = run};
