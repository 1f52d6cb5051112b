/* SPDX-License-Identifier: BSD-3-Clause */
/* The end of a training: report on the terminal and summary.json. */
#ifndef LS_CLI_TRAIN_SUMMARY_H
#define LS_CLI_TRAIN_SUMMARY_H

#include <stddef.h>

#include "base/files/directory.h"
#include "base/status.h"
#include "config/spec.h"
#include "data/source.h"
#include "train/trainer.h"

typedef struct ls_run_facts {
  const ls_spec *spec;
  const ls_dataset_info *data;
  size_t ranks, threads; /* threads of a rank */
  size_t parameters;
  const ls_directory *run_dir; /* open */
  const char
      *label; /* of one of several runs that report at the same time, in a line each; "": it is alone */
} ls_run_facts;

/** Print the final report and write summary.json. Rank 0. Errors: LS_E_IO, LS_E_MEMORY. */
ls_status ls_summary_finish(const ls_run_facts *facts, const ls_train_result *result) LS_CHECKED;

#endif
