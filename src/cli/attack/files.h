/* SPDX-License-Identifier: BSD-3-Clause */
/* The files that `lockstep attack -o DIR` writes. */
#ifndef LS_CLI_ATTACK_FILES_H
#define LS_CLI_ATTACK_FILES_H

#include "cli/attack/report.h"
#include "eval/robustness/examples.h"

enum { LS_EPSILON_BYTES = 16 };

/** An epsilon as it stands in the names of files, to six digits. Returns `name`. */
const char *ls_attack_epsilon_name(double epsilon, char name[LS_EPSILON_BYTES]);

/** Append the folder of the examples of subject k, of so many. */
void ls_attack_folder(const char *output, size_t k, size_t count, ls_text *folder);

/** Write one epsilon's examples-E.png and adversarial-E.h5. Rank 0. Errors: LS_E_IO, LS_E_MEMORY. */
ls_status ls_attack_write_examples(const char *folder, const ls_examples *examples, double epsilon,
                                   const ls_dataset_info *data) LS_CHECKED;

/** Write results.json, curve.svg and curve.csv. Rank 0. Errors: LS_E_IO, LS_E_MEMORY. */
ls_status ls_attack_write_report(const char *folder, const ls_attack_report *report,
                                 const char *json) LS_CHECKED;

#endif
