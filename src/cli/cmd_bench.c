/* SPDX-License-Identifier: BSD-3-Clause */
/* lockstep bench: how fast a configuration trains, what the machine could do, and where the time goes. */
#include <argp.h>
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/print.h"
#include "cli/setup.h"
#include "cli/process/watch.h"
#include "kernels/gemm/gemm.h"
#include "study/bench.h"

enum { KEY_JSON = 256, KEY_SECONDS };

static const double DEFAULT_SECONDS = 6.0, MOST_SECONDS = 86400.0;

typedef struct bench_arguments {
  ls_setup_arguments setup;
  double seconds;
  bool json;
} bench_arguments;

static error_t parse_seconds(bench_arguments *arguments, const char *text, struct argp_state *state)
{
  if (ls_parse_real(text, &arguments->seconds) && arguments->seconds > 0.0 &&
      arguments->seconds <= MOST_SECONDS)
    return 0;
  argp_error(state, "--seconds %s: expected a number above 0", text);
  return EINVAL;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
  bench_arguments *arguments = state->input;
  if (key == KEY_JSON)
    arguments->json = true;
  else if (key == KEY_SECONDS)
    return parse_seconds(arguments, value, state);
  else if (key == ARGP_KEY_ARG)
    return ls_setup_parse(&arguments->setup, value, state);
  else if (key == ARGP_KEY_END)
    return ls_setup_check(&arguments->setup, state);
  else
    return ARGP_ERR_UNKNOWN;
  return 0;
}

static const struct argp_option options[] = {
    {"seconds", KEY_SECONDS, "S", 0, "Time for measuring (default: 6)", 0},
    {"json", KEY_JSON, NULL, 0, "Print one JSON document and nothing else", 0},
    {0}};

static const struct argp argp = {
    .options = options,
    .parser = parse_option,
    .args_doc = "CONFIG.yaml|WEIGHTS [key.path=value ...]",
    .doc = "Measure the speed of training steps: forward, backward, reduction and optimizer, on data in "
           "memory.\v"
           "Prints samples per second (median of 7 windows, or of fewer where a step is long), GFLOP/s "
           "counted from the layers' "
           "multiply-adds, the rate of large matrix products (SGEMM) on the same threads between the "
           "windows, what each way of train.allreduce takes in the same run, and rank 0's time by layer and "
           "phase. "
           "Nothing is written. With data.shape no dataset is needed: images are made up. Of WEIGHTS, "
           "model.pt, the configuration beside them counts, model.yaml.\n\n"
           "Examples:\n"
           "  lockstep bench configs/lenet5.yaml\n"
           "  mpirun -n 2 lockstep bench configs/lenet5.yaml train.batch=1024 --json\n"};

/* ---- one rank's time, in parts of a step ---- */

static const char *const section_words[LS_SECTION_COUNT] = {[LS_SECTION_DATA] = "data",
                                                            [LS_SECTION_LOSS] = "loss",
                                                            [LS_SECTION_SUMS] = "sums of micro-batches",
                                                            [LS_SECTION_REDUCTION] = "reduction",
                                                            [LS_SECTION_OPTIMIZER] = "optimizer"};
static const char *const section_keys[LS_SECTION_COUNT] = {[LS_SECTION_DATA] = "data",
                                                           [LS_SECTION_LOSS] = "loss",
                                                           [LS_SECTION_SUMS] = "sums",
                                                           [LS_SECTION_REDUCTION] = "reduction",
                                                           [LS_SECTION_OPTIMIZER] = "optimizer"};
static const char *const phase_keys[LS_PHASE_COUNT] = {[LS_PHASE_FORWARD] = "forward",
                                                       [LS_PHASE_BACKWARD_DATA] = "backward_data",
                                                       [LS_PHASE_BACKWARD_WEIGHTS] = "backward_weights"};

/* Seconds of a step: the mean over the threads. */
static double phase_seconds(const ls_bench_result *result, const ls_layer *layer, size_t phase)
{
  const ls_step_profile *profile = &result->step_profile;
  double sum = 0.0;
  for (size_t t = 0; t < profile->threads; t++) sum += profile->passes[t].layers[layer->index][phase];
  return sum / (double)(profile->threads * result->profiled_steps);
}

/* Likewise; the sections of the whole rank stand with thread 0. */
static double section_seconds(const ls_bench_result *result, size_t section)
{
  const ls_step_profile *profile = &result->step_profile;
  const bool is_whole = section == LS_SECTION_REDUCTION || section == LS_SECTION_OPTIMIZER;
  double sum = 0.0;
  for (size_t t = 0; t < profile->threads; t++) sum += profile->sections[t][section];
  return sum / (double)((is_whole ? 1 : profile->threads) * result->profiled_steps);
}

/* The sum of the layers' times, or the object that they are added to. */
typedef struct layer_visit {
  const ls_bench_result *result;
  double per_sample; /* factor from seconds of a rank's step to seconds of a thread's sample */
  double phases[LS_PHASE_COUNT];
  json_t *list;
  bool is_complete;
} layer_visit;

static void add_phases(const ls_layer *layer, size_t depth, void *user)
{
  (void)depth;
  layer_visit *visit = user;
  for (size_t p = 0; p < LS_PHASE_COUNT; p++) visit->phases[p] += phase_seconds(visit->result, layer, p);
}

/* Seconds of a step that no layer and no section accounts for: threads waiting for each other. */
static double idle_seconds(const ls_bench_result *result, const double phases[LS_PHASE_COUNT])
{
  double rest = result->profiled_seconds / (double)result->profiled_steps;
  for (size_t p = 0; p < LS_PHASE_COUNT; p++) rest -= phases[p];
  for (size_t s = 0; s < LS_SECTION_COUNT; s++) rest -= section_seconds(result, s);
  return fmax(rest, 0.0);
}

/* ---- for people ---- */

static void print_layer(const ls_layer *layer, size_t depth, void *user)
{
  layer_visit *visit = user;
  double total = 0.0;
  const double flops = ls_bench_layer_flops(layer);
  ls_print(stdout, "  %*s%-*s", (int)(2 * depth), "", (int)(26 - 2 * depth), layer->name);
  for (size_t p = 0; p < LS_PHASE_COUNT; p++) {
    const double seconds = phase_seconds(visit->result, layer, p);
    total += seconds;
    ls_print(stdout, " %9.3f", 1e3 * seconds);
  }
  ls_print(stdout, " %6.1f %%",
           100.0 * total * (double)visit->result->profiled_steps / visit->result->profiled_seconds);
  if (flops > 0.0 && total > 0.0) ls_print(stdout, " %8.1f", flops / (total * visit->per_sample) * 1e-9);
  ls_print(stdout, "\n");
}

static void print_row(const ls_bench_result *result, const char *word, double seconds)
{
  ls_print(stdout, "  %-26s %29.3f %6.1f %%\n", word, 1e3 * seconds,
           100.0 * seconds * (double)result->profiled_steps / result->profiled_seconds);
}

static void print_profile(const ls_setup *setup, const ls_bench_result *result, layer_visit *visit)
{
  ls_print(stdout, "\nmilliseconds of a step of rank 0%s\n",
           setup->placement.threads > 1 ? ", mean of its threads" : "");
  ls_print(stdout, "  %-26s %9s %9s %9s %8s %8s\n", "", "", "backward:", "", "", "GFLOP/s");
  ls_print(stdout, "  %-26s %9s %9s %9s %8s %8s\n", "layer", "forward", "data", "weights", "of step",
           "a thread");
  ls_model_visit(setup->model, print_layer, visit);
  for (size_t s = 0; s < LS_SECTION_COUNT; s++)
    print_row(result, section_words[s], section_seconds(result, s));
  print_row(result, "threads waiting", idle_seconds(result, visit->phases));
}

/* The times of each way of train.allreduce. */
static void print_ways(const ls_bench_result *result)
{
  const char *before = "reduction: ";
  for (size_t way = 0; way < LS_ALLREDUCE_COUNT; way++, before = ", ")
    ls_print(stdout, "%s%s %.3f ms of %.2f ms a step", before, ls_allreduce_words[way],
             1e3 * result->ways[way].reduction_s, 1e3 * result->ways[way].step_s);
  ls_print(stdout, "\n");
}

static ls_status print_report(const ls_comm *comm, const ls_setup *setup, const ls_bench_result *result,
                              layer_visit *visit)
{
  const ls_spec_train *train = &setup->spec->train;
  const int ranks = ls_comm_size(comm);
  ls_print(stdout, "%s: batch %zu in micro-batches of %zu, %d rank%s x %zu thread%s, %s\n", setup->spec->name,
           train->batch, train->microbatch, ranks, ls_plural((uint64_t)ranks), setup->placement.threads,
           ls_plural(setup->placement.threads), ls_gemm_backend());
  ls_print(stdout, "%.0f samples/s (%.0f to %.0f), %.2f ms a step\n", result->samples_per_second,
           result->slowest, result->fastest, 1e3 * result->step_seconds);
  ls_print(stdout, "%.1f GFLOP/s, %.1f %% of SGEMM's %.1f (%.1f to %.1f)\n", result->gflops,
           100.0 * result->gflops / result->sgemm_gflops, result->sgemm_gflops, result->sgemm_slowest,
           result->sgemm_fastest);
  print_ways(result);
  print_profile(setup, result, visit);
  return LS_OK;
}

/* ---- for programs ---- */

static void add_layer_json(const ls_layer *layer, size_t depth, void *user)
{
  (void)depth;
  layer_visit *visit = user;
  json_t *item = json_pack("{s:s, s:s}", "layer", layer->name, "type", layer->kind->schema.name);
  for (size_t p = 0; p < LS_PHASE_COUNT; p++)
    visit->is_complete &=
        json_object_set_new(item, phase_keys[p], json_real(phase_seconds(visit->result, layer, p))) == 0;
  visit->is_complete &= json_array_append_new(visit->list, item) == 0;
}

static json_t *profile_json(const ls_setup *setup, const ls_bench_result *result, layer_visit *visit)
{
  json_t *profile = json_object();
  visit->list = json_array();
  visit->is_complete = profile && visit->list;
  ls_model_visit(setup->model, add_layer_json, visit);
  visit->is_complete &= json_object_set_new(profile, "layers", visit->list) == 0;
  for (size_t s = 0; s < LS_SECTION_COUNT; s++)
    visit->is_complete &=
        json_object_set_new(profile, section_keys[s], json_real(section_seconds(result, s))) == 0;
  visit->is_complete &=
      json_object_set_new(profile, "idle", json_real(idle_seconds(result, visit->phases))) == 0;
  if (visit->is_complete) return profile;
  json_decref(profile);
  return NULL;
}

static json_t *ways_json(const ls_bench_result *result)
{
  json_t *ways = json_object();
  bool is_complete = ways != NULL;
  for (size_t way = 0; way < LS_ALLREDUCE_COUNT; way++)
    is_complete &= json_object_set_new(ways, ls_allreduce_words[way],
                                       json_pack("{s:f, s:f}", "step_seconds", result->ways[way].step_s,
                                                 "reduction_seconds", result->ways[way].reduction_s)) == 0;
  if (is_complete) return ways;
  json_decref(ways);
  return NULL;
}

static ls_status print_json(const ls_comm *comm, const ls_setup *setup, const ls_bench_result *result,
                            layer_visit *visit)
{
  const ls_spec_train *train = &setup->spec->train;
  json_t *document = json_pack(
      "{s:s, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:i, s:I, s:I, s:I, s:s, s:o, s:o}", "name",
      setup->spec->name, "samples_per_second", result->samples_per_second, "slowest", result->slowest,
      "fastest", result->fastest, "step_seconds", result->step_seconds, "gflops", result->gflops,
      "sgemm_gflops", result->sgemm_gflops, "sgemm_slowest", result->sgemm_slowest, "sgemm_fastest",
      result->sgemm_fastest, "sgemm_ratio", result->gflops / result->sgemm_gflops, "ranks",
      ls_comm_size(comm), "threads", (json_int_t)setup->placement.threads, "batch", (json_int_t)train->batch,
      "microbatch", (json_int_t)train->microbatch, "gemm", ls_gemm_backend(), "allreduce", ways_json(result),
      "profile", profile_json(setup, result, visit));
  return ls_print_document(document, JSON_INDENT(2));
}

/* ---- the command ---- */

/* Rank 0. */
static ls_status show(const ls_comm *comm, const ls_setup *setup, const bench_arguments *arguments,
                      const ls_bench_result *result)
{
  const double samples = (double)setup->spec->train.batch / (double)ls_comm_size(comm);
  layer_visit visit = {.result = result, .per_sample = (double)setup->placement.threads / samples};
  ls_model_visit(setup->model, add_phases, &visit);
  return (arguments->json ? print_json : print_report)(comm, setup, result, &visit);
}

static ls_status run_prepared(ls_comm *comm, ls_setup *setup, bench_arguments *arguments, ls_watch *watch)
{
  ls_bench_result result;
  LS_PASS(ls_setup_find_beside(&arguments->setup, comm));
  FILE *notes = arguments->json ? stderr : stdout;
  LS_PASS(ls_setup_single(setup, comm, &arguments->setup, watch, "bench", notes));
  const ls_bench_options bench = {.comm = comm,
                                  .spec = setup->spec,
                                  .source = setup->source,
                                  .model = setup->model,
                                  .threads = setup->placement.threads,
                                  .seconds = arguments->seconds};
  ls_status status = ls_bench(&bench, &result);
  if (status == LS_OK)
    status = ls_comm_agree(comm, ls_comm_rank(comm) == 0 ? show(comm, setup, arguments, &result) : LS_OK);
  ls_bench_result_fini(&result);
  return status;
}

static ls_status run(ls_comm *comm, int argc, char **argv)
{
  bench_arguments arguments = {.seconds = DEFAULT_SECONDS};
  ls_setup setup = {.text = NULL};
  ls_watch watch = {.watchdog = NULL};
  bool done;
  ls_status status;
  LS_AGREE(comm, ls_setup_arguments_init(&arguments.setup, (size_t)argc));
  LS_GO(ls_command_parse(comm, &argp, argc, argv, &arguments, &done));
  if (!done) status = run_prepared(comm, &setup, &arguments, &watch);
done:
  ls_watch_end(&watch, comm, status);
  ls_setup_fini(&setup);
  ls_setup_arguments_fini(&arguments.setup);
  return status;
}

const ls_command ls_command_bench = {.word = "bench",
                                     .doc =
                                         "measure how fast a configuration trains, and where the time goes",
                                     .shares = true,
                                     .run = run};
