/* SPDX-License-Identifier: BSD-3-Clause */
/* lockstep train: from a configuration file to a run directory. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "cli/run_dir.h"
#include "cli/setup.h"
#include "cli/summary.h"
#include "cli/terminal.h"
#include "comm/place.h"
#include "config/config.h"
#include "data/source.h"
#include "nn/gemm.h"
#include "nn/model.h"
#include "store/transfer.h"
#include "train/optimizer.h"
#include "train/schedule.h"
#include "train/schemas.h"
#include "train/trainer.h"
#include "train/watchdog.h"

enum { KEY_RESUME = 256, KEY_DRY_RUN, KEY_HELP_CONFIG };

typedef struct train_arguments {
  ls_setup_arguments setup;
  const char *run_dir;
  bool resume, dry_run, help_config;
} train_arguments;

/* Everything that a training needs. */
typedef struct train_setup {
  ls_setup common;
  char *run_dir;
  int lock; /* rank 0: the run directory, held open; -1: not */
  ls_activity activity;
  ls_watchdog *watchdog; /* of the activity; NULL: none */
} train_setup;

static volatile sig_atomic_t stop_requested; /* set by the handler alone: the one thing a signal may touch */

static void request_stop(int signal_number)
{
  (void)signal_number;
  stop_requested = 1;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
  train_arguments *arguments = state->input;
  if (key == 'o')
    arguments->run_dir = value;
  else if (key == KEY_RESUME)
    arguments->resume = true;
  else if (key == KEY_DRY_RUN)
    arguments->dry_run = true;
  else if (key == KEY_HELP_CONFIG)
    arguments->help_config = true;
  else if (key == ARGP_KEY_ARG)
    return ls_setup_parse(&arguments->setup, value, state);
  else if (key == ARGP_KEY_END)
    return arguments->help_config ? 0 : ls_setup_check(&arguments->setup, state);
  else
    return ARGP_ERR_UNKNOWN;
  return 0;
}

static const struct argp_option options[] = {
    {"output", 'o', "RUN_DIR", 0, "Run directory (default: runs/NAME, numbered where that exists)", 0},
    {"resume", KEY_RESUME, NULL, 0,
     "Go on from the newest intact checkpoint in RUN_DIR; from the start if there is none", 0},
    {"dry-run", KEY_DRY_RUN, NULL, 0, "Check everything, print the model, and stop before training", 0},
    {"help-config", KEY_HELP_CONFIG, NULL, 0, "Print every configuration key with type, default and meaning",
     0},
    {0}};

static const struct argp argp = {
    .options = options,
    .parser = parse_option,
    .args_doc = "CONFIG.yaml [key.path=value ...]",
    .doc = "Train a model.\n\n"
           "Alone it uses all cores that it is bound to; under mpirun or srun every rank takes its share of "
           "each "
           "batch.\v"
           "Examples:\n"
           "  lockstep train configs/lenet5.yaml -o runs/a\n"
           "  mpirun -n 2 --bind-to core lockstep train configs/lenet5.yaml train.epochs=3\n"
           "  lockstep train configs/lenet5.yaml -o runs/a --resume train.epochs=20\n"
           "  lockstep train configs/resnet20.yaml --dry-run\n"
           "  lockstep train configs/lenet5.yaml 'train.optimizer={type: adam, lr: 0.001}'\n"};

static ls_status print_config_help(const ls_comm *comm)
{
  if (ls_comm_rank(comm) != 0) return LS_OK;
  ls_text help = {0};
  ls_config_help(&ls_all_schemas, &help);
  fputs(ls_text_get(&help), stdout);
  ls_text_fini(&help);
  return LS_OK;
}

/* In one write, so that lines of several ranks do not mix. */
static void on_stalled(void *user, const char *text)
{
  (void)user;
  fprintf(stderr, "lockstep: warning: %s\n", text);
}

/* The launcher ends the other ranks when one is gone without MPI_Finalize(). */
static void on_give_up(void *user)
{
  (void)user;
  _exit(ls_status_exit(LS_E_COMM));
}

/* Parse the configuration, and watch from the moment on that it tells how long: opening the data may hang as
 * well as training. Local. */
static ls_status begin(train_setup *setup, ls_comm *comm, const train_arguments *arguments)
{
  LS_PASS(ls_setup_parse_config(&setup->common, &arguments->setup));
  const ls_spec_train *train = &setup->common.spec->train;
  const ls_watchdog_options watchdog = {.activity = &setup->activity,
                                        .rank = ls_comm_rank(comm),
                                        .size = ls_comm_size(comm),
                                        .warn_s = train->stall_timeout,
                                        .abort_s = train->stall_abort,
                                        .tell = on_stalled,
                                        .give_up = on_give_up};
  ls_activity_work(&setup->activity);
  ls_activity_enter(&setup->activity, "setting up");
  ls_comm_watch(comm, &setup->activity);
  return ls_watchdog_start(&setup->watchdog, &watchdog);
}

/* The run directory: rank 0 makes it, and all leave their notes there. Collective. */
static ls_status settle(train_setup *setup, ls_comm *comm, const train_arguments *arguments)
{
  const ls_run_dir_wish wish = {arguments->run_dir, setup->common.spec->name, arguments->resume};
  LS_ROOT(comm, ls_run_dir_prepare(&setup->run_dir, &setup->lock, &wish));
  LS_PASS(ls_comm_broadcast_text(comm, &setup->run_dir));
  if (ls_comm_rank(comm) == 0) ls_watchdog_clear(setup->run_dir);
  LS_PASS(ls_comm_barrier(comm));
  return ls_comm_agree(comm, ls_watchdog_settle(setup->watchdog, setup->run_dir));
}

/* The watchdog only now: what is collective is over. */
static void release(train_setup *setup, ls_comm *comm)
{
  ls_comm_watch(comm, NULL);
  ls_watchdog_stop(setup->watchdog);
  ls_setup_fini(&setup->common);
  free(setup->run_dir);
  if (setup->lock >= 0) close(setup->lock);
}

/* Are the weights there that a new run starts from? Found out before a run directory is made. Rank 0. */
static ls_status check_init(const train_setup *setup, bool told)
{
  const char *path = ls_spec_init_from(setup->common.spec);
  ls_text report = {0};
  if (!path) return LS_OK;
  const ls_status status = ls_transfer_try(path, setup->common.model, &report);
  if (told) fputs(ls_text_get(&report), stdout);
  ls_text_fini(&report);
  return status;
}

static void print_plan(const ls_comm *comm, const train_setup *setup, bool dry_run)
{
  if (ls_comm_rank(comm) != 0) return;
  const ls_dataset_info *data = ls_source_info(setup->common.source);
  const ls_spec *spec = setup->common.spec;
  printf("%s: %zux%zux%zu, %zu classes, %zu training and %zu test samples (%s)\n", data->name, data->channels,
         data->height, data->width, data->classes, data->count[LS_SPLIT_TRAIN], data->count[LS_SPLIT_TEST],
         data->format);
  if (dry_run) {
    ls_text table = {0};
    ls_model_summary(setup->common.model, &table);
    fputs(ls_text_get(&table), stdout);
    ls_text_fini(&table);
    return;
  }
  printf("%s: %zu parameters, %s, batch %zu in micro-batches of %zu, %d rank%s x %zu thread%s, %s\n",
         spec->name, ls_model_count(setup->common.model)->params, spec->train.optimizer.schema->name,
         spec->train.batch, spec->train.microbatch, ls_comm_size(comm), ls_comm_size(comm) == 1 ? "" : "s",
         setup->common.place.threads, setup->common.place.threads == 1 ? "" : "s", ls_gemm_backend());
  printf("run directory: %s\n", setup->run_dir);
  fflush(stdout);
}

static void on_step(void *user, const ls_step_event *event)
{
  double elapsed_s = (double)event->samples / event->samples_per_second;
  double left = (double)(event->steps - event->step) / (double)event->step;
  ls_progress_step step = {.epoch = event->epoch,
                           .step = event->step,
                           .steps = event->steps,
                           .loss = event->loss,
                           .accuracy = event->accuracy,
                           .samples_per_second = event->samples_per_second,
                           .seconds_left = left * elapsed_s};
  ls_progress_display_step(user, &step);
}

static void on_epoch(void *user, const ls_epoch_event *event)
{
  const ls_epoch_metrics *validation = event->validation;
  ls_progress_epoch epoch = {.epoch = event->epoch,
                             .loss = event->train->loss,
                             .accuracy = event->train->accuracy,
                             .validated = validation != NULL,
                             .validation_loss = validation ? validation->loss : 0.0,
                             .validation_accuracy = validation ? validation->accuracy : 0.0,
                             .learning_rate = event->train->learning_rate,
                             .samples_per_second = event->samples_per_second,
                             .seconds = event->train->seconds};
  ls_progress_display_epoch(user, &epoch);
}

static void on_message(void *user, const char *text)
{
  ls_progress_display_clear(user);
  printf("%s\n", text);
  fflush(stdout);
}

static void catch_signals(void)
{
  struct sigaction action = {.sa_handler = request_stop, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGUSR1, &action, NULL);
  action.sa_flags |= (int)SA_RESETHAND; /* a second Ctrl-C ends the program at once */
  sigaction(SIGINT, &action, NULL);
}

static ls_status train(ls_comm *comm, train_setup *setup, const train_arguments *arguments)
{
  ls_progress_display display =
      ls_progress_display_of(stdout, setup->common.spec->train.epochs, ls_on_terminal(stdout));
  ls_trainer_options trainer = {.comm = comm,
                                .spec = setup->common.spec,
                                .schemas = &ls_all_schemas,
                                .config = setup->common.resolved,
                                .source = setup->common.source,
                                .model = setup->common.model,
                                .threads = setup->common.place.threads,
                                .run_dir = setup->run_dir,
                                .resume = arguments->resume,
                                .stop = &stop_requested,
                                .events = {&display, on_step, on_epoch, on_message}};
  catch_signals();
  ls_train_result result;
  LS_PASS(ls_train(&trainer, &result));
  ls_run_facts facts = {.spec = setup->common.spec,
                        .data = ls_source_info(setup->common.source),
                        .ranks = (size_t)ls_comm_size(comm),
                        .threads = setup->common.place.threads,
                        .parameters = ls_model_count(setup->common.model)->params,
                        .run_dir = setup->run_dir};
  ls_activity_enter(&setup->activity, "writing the summary");
  ls_status status =
      ls_comm_agree(comm, ls_comm_rank(comm) == 0 ? ls_summary_finish(&facts, &result) : LS_OK);
  ls_train_result_fini(&result);
  return status;
}

static ls_status run_prepared(ls_comm *comm, train_setup *setup, const train_arguments *arguments)
{
  LS_PASS(ls_setup_read(&setup->common, comm, &arguments->setup));
  LS_AGREE(comm, begin(setup, comm, arguments));
  LS_PASS(ls_setup_prepare(&setup->common, comm));
  LS_PASS(ls_setup_warn(&setup->common, comm));
  if (!arguments->resume) LS_ROOT(comm, check_init(setup, arguments->dry_run));
  if (!arguments->dry_run) LS_PASS(settle(setup, comm, arguments));
  print_plan(comm, setup, arguments->dry_run);
  return arguments->dry_run ? LS_OK : train(comm, setup, arguments);
}

static ls_status run(ls_comm *comm, int argc, char **argv)
{
  train_arguments arguments = {.resume = false};
  LS_AGREE(comm, ls_setup_arguments_init(&arguments.setup, (size_t)argc));
  train_setup setup = {.lock = -1};
  bool done;
  ls_status status;
  LS_GO(ls_command_parse(comm, &argp, argc, argv, &arguments, &done));
  if (done) goto done;
  if (arguments.help_config) {
    status = print_config_help(comm);
    goto done;
  }
  status = run_prepared(comm, &setup, &arguments);
done:
  release(&setup, comm);
  ls_setup_arguments_fini(&arguments.setup);
  return status;
}

const ls_command ls_command_train = {
    .word = "train", .doc = "train a model from a configuration file", .run = run};
