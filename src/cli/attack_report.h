/* SPDX-License-Identifier: BSD-3-Clause */
/* The figures of `lockstep attack`: a table for people, JSON, and a curve. */
#ifndef LS_CLI_ATTACK_REPORT_H
#define LS_CLI_ATTACK_REPORT_H

#include "base/text.h"
#include "eval/robustness.h"

enum { LS_ATTACK_MAX_EPSILONS = 64 };

/** One epsilon's figures. */
typedef struct ls_attack_result {
  double epsilon;
  ls_robustness figures;
} ls_attack_result;

typedef struct ls_attack_report {
  const char *checkpoint, *split;  /* borrowed */
  const ls_dataset_info *data;     /* borrowed */
  const ls_onslaught *onslaught;   /* epsilon is of no meaning */
  const ls_attack_result *results; /* [count] in the order asked; 1 .. LS_ATTACK_MAX_EPSILONS */
  size_t count;
} ls_attack_report;

/** Append the table. */
void ls_attack_report_table(const ls_attack_report *report, ls_text *text);

/** The JSON document, freed with free(). Local. Errors: LS_E_MEMORY. */
ls_status ls_attack_report_json(const ls_attack_report *report, char **text) LS_CHECKED;

/** Append an SVG picture: accuracy over epsilon. */
void ls_attack_report_curve(const ls_attack_report *report, ls_text *svg);

#endif
