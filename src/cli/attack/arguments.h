/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of `lockstep attack`. */
#ifndef LS_CLI_ATTACK_ARGUMENTS_H
#define LS_CLI_ATTACK_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/attack/report.h"
#include "data/source.h"
#include "eval/robustness/robustness.h"

/** Texts are argv's. */
typedef struct ls_attack_arguments {
  const char **checkpoints; /* [checkpoint_count], one after parsing at least; the caller allocates as many as
                               argv */
  size_t checkpoint_count;
  const char *data, *output;
  ls_reading reading;                /* what is said of the files of the data */
  const char *target, *source_class; /* names or numbers; NULL: not given */
  double epsilons[LS_ATTACK_MAX_EPSILONS];
  size_t epsilon_count;
  ls_robustness_options attacks; /* all but loader, ticker, epsilon, seed and classes */
  bool is_vote;                  /* the checkpoints are attacked as one */
  bool shapes_steps;             /* an option that only attacks of several steps take was given */
  bool restarts_given;
  bool json;
} ls_attack_arguments;

struct argp;

/** Its input is an ls_attack_arguments that holds the defaults. */
extern const struct argp ls_attack_argp;

#endif
