/* SPDX-License-Identifier: BSD-3-Clause */
/* lockstep train: trains the network of a configuration file in a run directory. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/train/ensemble_train.h"
#include "cli/print.h"
#include "cli/setup.h"
#include "cli/process/stop.h"
#include "cli/train/training.h"
#include "config/config.h"
#include "train/schemas.h"

enum { KEY_RESUME = 256, KEY_DRY_RUN, KEY_HELP_CONFIG };

typedef struct train_arguments {
  ls_setup_arguments setup;
  const char *run_path;
  bool resume, dry_run, help_config;
} train_arguments;

/* Checked after all arguments, so that their order does not matter. */
static error_t check_arguments(const train_arguments *arguments, struct argp_state *state)
{
  if (arguments->help_config || !arguments->resume || arguments->run_path || arguments->setup.config)
    return arguments->help_config ? 0 : ls_setup_check(&arguments->setup, state);
  argp_error(state, "--resume: go on with which run? Give -o RUN_DIR, or its CONFIG.yaml");
  return EINVAL;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
  train_arguments *arguments = state->input;
  arguments->setup.may_lack_config = arguments->resume && arguments->run_path;
  if (key == 'o')
    arguments->run_path = ls_command_folder(value);
  else if (key == KEY_RESUME)
    arguments->resume = true;
  else if (key == KEY_DRY_RUN)
    arguments->dry_run = true;
  else if (key == KEY_HELP_CONFIG)
    arguments->help_config = true;
  else if (key == ARGP_KEY_ARG)
    return ls_setup_parse(&arguments->setup, value, state);
  else if (key == ARGP_KEY_END)
    return check_arguments(arguments, state);
  else
    return ARGP_ERR_UNKNOWN;
  return 0;
}

static const struct argp_option options[] = {
    {"output", 'o', "RUN_DIR", 0, "Run directory (default: runs/NAME, numbered where that exists)", 0},
    {"resume", KEY_RESUME, NULL, 0,
     "Go on from the newest intact checkpoint in RUN_DIR; from the start if there is none. Without "
     "CONFIG.yaml the "
     "run's own configuration is taken, whose paths count from the working directory",
     0},
    {"dry-run", KEY_DRY_RUN, NULL, 0, "Check everything, print the model, and stop before training", 0},
    {"help-config", KEY_HELP_CONFIG, NULL, 0, "Print every configuration key with type, default and meaning",
     0},
    {0}};

static const struct argp argp = {
    .options = options,
    .parser = parse_option,
    .args_doc = "CONFIG.yaml [key.path=value ...]\n--resume -o RUN_DIR [key.path=value ...]",
    .doc = "Train a model.\n\n"
           "Alone it uses all cores that it is bound to; under mpirun or srun every rank takes its share of "
           "each "
           "batch.\v"
           "Examples:\n"
           "  lockstep train configs/lenet5.yaml -o runs/a\n"
           "  mpirun -n 2 --bind-to core lockstep train configs/lenet5.yaml train.epochs=3\n"
           "  lockstep train --resume -o runs/a train.epochs=20\n"
           "  lockstep train configs/resnet20.yaml --dry-run\n"
           "  lockstep train configs/lenet5.yaml 'train.optimizer={type: adam, lr: 0.001}'\n"};

static ls_status print_config_help(const ls_comm *comm)
{
  if (ls_comm_rank(comm) != 0) return LS_OK;
  ls_text help = {0};
  ls_config_help(&ls_all_schemas, &help);
  return ls_print_text(&help);
}

/* One network, or as many as the configuration asks for. Collective. */
static ls_status train(ls_comm *comm, ls_training *training, train_arguments *arguments)
{
  const ls_training_options how = {.run_path = arguments->run_path,
                                   .resume = arguments->resume,
                                   .dry_run = arguments->dry_run,
                                   .label = "",
                                   .started_s = ls_clock_s()};
  if (arguments->setup.config)
    LS_PASS(ls_setup_read(&training->setup, comm, &arguments->setup));
  else
    LS_PASS(ls_setup_read_own(&training->setup, comm, &arguments->setup, arguments->run_path));
  LS_AGREE(comm, ls_setup_parse_config(&training->setup, &arguments->setup));
  if (training->setup.spec->ensemble.members > 0)
    return ls_ensemble_train(training, comm, &arguments->setup, &how);
  ls_train_result result;
  const ls_status status = ls_training_run(training, comm, &how, &result);
  ls_train_result_fini(&result);
  return status;
}

static ls_status run(ls_comm *comm, int argc, char **argv)
{
  train_arguments arguments = {.resume = false};
  LS_AGREE(comm, ls_setup_arguments_init(&arguments.setup, (size_t)argc));
  ls_training training = {.run_dir = {.descriptor = -1}};
  bool done;
  ls_status status;
  LS_GO(ls_command_parse(comm, &argp, argc, argv, &arguments, &done));
  if (done) goto done;
  if (arguments.help_config) {
    status = ls_comm_agree(comm, print_config_help(comm));
    goto done;
  }
  ls_stop_saves(!arguments.dry_run);
  status = train(comm, &training, &arguments);
done:
  ls_training_fini(&training, comm);
  ls_setup_arguments_fini(&arguments.setup);
  return status;
}

const ls_command ls_command_train = {
    .word = "train", .shares = true, .doc = "train a model from a configuration file", .run = run};
