/* SPDX-License-Identifier: BSD-3-Clause */
/* The figures of `lockstep attack`: a table for people, JSON, CSV, and curves. */
#ifndef LS_CLI_ATTACK_REPORT_H
#define LS_CLI_ATTACK_REPORT_H

#include "base/text.h"
#include "eval/robustness/robustness.h"

enum { LS_ATTACK_MAX_EPSILONS = 64 };

/** Where the examples of one of several networks lie, from 1 on. */
#define LS_ATTACK_FOLDER "network-%zu"

/** One epsilon's figures. */
typedef struct ls_attack_result {
  double epsilon;
  ls_robustness figures;               /* of each sample the worst method */
  ls_robustness each[LS_ATTACK_COUNT]; /* of each method by itself, as in the attacks */
} ls_attack_result;

/** A network that was attacked, or the vote of several. */
typedef struct ls_attack_subject {
  const char *name;                                 /* its checkpoint's path, of a vote the first; borrowed */
  uint64_t seed;                                    /* of what is random in the attacks */
  ls_attack_result results[LS_ATTACK_MAX_EPSILONS]; /* in the order asked */
} ls_attack_subject;

typedef struct ls_attack_report {
  const char *const *checkpoints; /* [checkpoint_count] all of them; borrowed */
  size_t checkpoint_count;
  const char *split;                    /* borrowed */
  const ls_dataset_info *data;          /* borrowed */
  const ls_robustness_options *attacks; /* epsilon and seed are of no meaning */
  const ls_attack_subject *subjects;    /* [subject_count] one checkpoint each; or one, the vote of all */
  size_t subject_count;
  bool has_examples; /* written: those of several networks in a folder each */
  size_t count;      /* epsilons, 1 .. LS_ATTACK_MAX_EPSILONS */
} ls_attack_report;

/** Append the tables. */
void ls_attack_report_table(const ls_attack_report *report, ls_text *text);

/** The JSON document, freed with free(). Local. Errors: LS_E_MEMORY. */
ls_status ls_attack_report_json(const ls_attack_report *report, char **text) LS_CHECKED;

/** Append the figures as CSV: a row for every network, method and epsilon. */
void ls_attack_report_csv(const ls_attack_report *report, ls_text *csv);

/** Append an SVG picture: accuracy over epsilon, of each network, or of each method on one. Local. Errors:
 * LS_E_MEMORY. */
ls_status ls_attack_report_curve(const ls_attack_report *report, ls_text *svg) LS_CHECKED;

/* ---- what these have in common ---- */

/** Columns of figures: the methods in their order, and where there are several the worst behind them. */
size_t ls_attack_series_count(const ls_attack_report *report);

/** Does any of the methods take several steps? */
bool ls_attack_takes_steps(const ls_robustness_options *attacks);

/** Is any of the methods random? */
bool ls_attack_is_random(const ls_robustness_options *attacks);

/** The figures of a series: below method_count a method's, else the worst ones. */
const ls_robustness *ls_attack_series_at(const ls_attack_report *report, const ls_attack_result *result,
                                         size_t series);

/** Append its name: "pgd-40", "worst". */
void ls_attack_series_name(const ls_attack_report *report, size_t series, ls_text *text);

/** Was there a target? */
bool ls_attack_is_targeted(const ls_attack_report *report);

/** Did the attack raise the accuracy? A targeted one may: it can turn a wrong answer into the right one. */
bool ls_attack_is_above_clean(const ls_attack_report *report, const ls_robustness *figures);

/** A part of the samples. */
static inline double ls_attack_share(uint64_t part, const ls_robustness *figures)
{
  return (double)part / (double)figures->samples;
}

#endif
