/* SPDX-License-Identifier: BSD-3-Clause */
/* lockstep attack: how trained networks stand up to adversarial examples, for a sweep of epsilons. Several
 * are attacked one after the other, each as if it were alone, or as one, their vote. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/files/directory.h"
#include "base/memory.h"
#include "base/show.h"
#include "cli/attack/arguments.h"
#include "cli/attack/files.h"
#include "cli/attack/report.h"
#include "cli/class_names.h"
#include "cli/command.h"
#include "cli/data_options.h"
#include "cli/print.h"
#include "cli/sample_display.h"
#include "cli/process/watch.h"
#include "cli/split_report.h"
#include "eval/robustness/robustness.h"
#include "eval/session.h"

enum { DEFAULT_STEPS = 40 };

typedef struct attack_session {
  const ls_attack_arguments *arguments;
  ls_watch watch;
  ls_session opened; /* networks and data */
  ls_robustness_options attacks;
  ls_attack_subject *subjects; /* [subject_count] one network each; or one, the vote of all */
  size_t subject_count;
} attack_session;

/* ---- networks and data ---- */

static ls_status find_classes(attack_session *session)
{
  const ls_attack_arguments *arguments = session->arguments;
  const ls_dataset_info *data = ls_source_info(session->opened.source);
  ls_robustness_options *attacks = &session->attacks;
  if (arguments->target) LS_PASS(ls_class_find(&attacks->target, data, "--target", arguments->target));
  if (!arguments->source_class) return LS_OK;
  return ls_class_find(&attacks->source_class, data, "--source-class", arguments->source_class);
}

/* Collective. */
static ls_status open_networks(attack_session *session, ls_comm *comm)
{
  const ls_attack_arguments *arguments = session->arguments;
  const ls_session_options options = {.checkpoints = arguments->checkpoints,
                                      .count = arguments->checkpoint_count,
                                      .expands = arguments->is_vote,
                                      .input_gradient = true,
                                      .data = arguments->data,
                                      .reading = arguments->reading,
                                      .split = session->attacks.split};
  LS_PASS(ls_session_find(&session->opened, comm, &options));
  if (arguments->is_vote && session->opened.wanted == 1)
    return ls_fail(LS_E_USAGE, "--vote: a vote takes two checkpoints or more, or an ensemble");
  const ls_status status = ls_session_open(&session->opened, comm);
  ls_session_print_notes(&session->opened);
  LS_PASS(status);
  session->subject_count = arguments->is_vote ? 1 : session->opened.count;
  return ls_comm_agree(
      comm, ls_alloc(&session->subjects, session->subject_count, sizeof *session->subjects, "the figures"));
}

/* Check networks and data before the first attack, so that their errors are reported first. Collective. */
static ls_status open_session(attack_session *session, ls_comm *comm)
{
  LS_PASS(ls_watch_begin(&session->watch, comm, NULL));
  LS_PASS(open_networks(session, comm));
  ls_watch_adopt(&session->watch, &session->opened.networks[0].spec->train);
  LS_PASS(ls_session_open_data(&session->opened, comm));
  LS_AGREE(comm, find_classes(session));
  if (ls_comm_rank(comm) == 0) ls_session_warn(&session->opened, false);
  return LS_OK;
}

static void close_session(attack_session *session)
{
  ls_session_close(&session->opened);
  free(session->subjects);
}

/* ---- one subject ---- */

/* Attack subject k; on a terminal rank 0 shows a display meanwhile. Collective. */
static ls_status find_figures(attack_session *session, ls_comm *comm, const ls_group *group, size_t k,
                              ls_attack_result *result, ls_examples *examples)
{
  ls_text what = {0};
  if (session->subject_count > 1) ls_text_add(&what, "network %zu, ", k + 1);
  ls_text_add(&what, "epsilon %g", result->epsilon);
  ls_sample_display display = ls_sample_display_of(stderr, ls_text_get(&what));
  const ls_ticker ticker = ls_sample_display_ticker(&display);
  ls_robustness_options attacks = session->attacks;
  attacks.loader = group->loader;
  attacks.attack.epsilon = result->epsilon;
  attacks.attack.seed = session->subjects[k].seed;
  attacks.ticker = display.terminal && ls_comm_rank(comm) == 0 ? &ticker : NULL;
  const ls_status status =
      ls_robustness_find(&result->figures, result->each, examples, comm, &group->members, &attacks);
  ls_sample_display_finish(&display);
  ls_text_fini(&what);
  return status;
}

/* One epsilon. Collective. */
static ls_status attack(attack_session *session, ls_comm *comm, const ls_group *group, size_t k, size_t i)
{
  const char *output = session->arguments->output;
  const ls_dataset_info *data = ls_source_info(session->opened.source);
  ls_attack_result *result = &session->subjects[k].results[i];
  ls_examples examples = {.count = 0};
  ls_text folder = {0};
  result->epsilon = session->arguments->epsilons[i];
  LS_PASS(find_figures(session, comm, group, k, result, output ? &examples : NULL));
  if (!output) return LS_OK;
  ls_attack_folder(output, k, session->subject_count, &folder);
  ls_status status = LS_OK;
  if (ls_comm_rank(comm) == 0)
    status = folder.failed ? ls_fail(LS_E_MEMORY, "no memory for the name of a folder")
                           : ls_attack_write_examples(ls_text_get(&folder), &examples, result->epsilon, data);
  status = ls_comm_agree(comm, status);
  ls_text_fini(&folder);
  ls_examples_fini(&examples);
  return status;
}

/* Rank 0. */
static ls_status make_folder(const attack_session *session, size_t k)
{
  ls_text text = {0};
  char *folder;
  ls_attack_folder(session->arguments->output, k, session->subject_count, &text);
  LS_PASS(ls_text_take(&text, &folder));
  const ls_status status = ls_folder_make(folder);
  free(folder);
  return status;
}

/* All epsilons. Collective. */
static ls_status attack_subject(attack_session *session, ls_comm *comm, size_t k)
{
  const ls_attack_arguments *arguments = session->arguments;
  const ls_session *opened = &session->opened;
  ls_group group = {.loader = NULL};
  session->subjects[k].name = opened->names[k];
  session->subjects[k].seed = opened->networks[k].spec->seed;
  ls_status status;
  LS_GO(ls_session_load(&group, comm, opened, k, arguments->is_vote ? opened->count : 1));
  if (arguments->output)
    LS_GO(ls_comm_agree(comm, ls_comm_rank(comm) == 0 ? make_folder(session, k) : LS_OK));
  for (size_t i = 0; i < arguments->epsilon_count; i++) LS_GO(attack(session, comm, &group, k, i));
done:
  ls_group_close(&group);
  return status;
}

/* ---- results ---- */

static ls_status show_table(const attack_session *session, const ls_attack_report *report)
{
  const char *output = session->arguments->output;
  ls_text table = {0};
  ls_attack_report_table(report, &table);
  for (size_t k = 0; output && session->subject_count > 1 && k < session->subject_count; k++) {
    ls_text folder = {0};
    ls_attack_folder(output, k, session->subject_count, &folder);
    ls_text_show(&table, "examples of network %zu in %s\n", k + 1, ls_text_get(&folder));
    table.failed = table.failed || folder.failed;
    ls_text_fini(&folder);
  }
  LS_PASS(ls_print_text(&table));
  if (output)
    ls_print(stdout, session->subject_count > 1 ? "figures in %s\n" : "figures and examples in %s\n", output);
  return LS_OK;
}

/* Rank 0. */
static ls_status show(const attack_session *session)
{
  const ls_attack_arguments *arguments = session->arguments;
  const ls_attack_report report = {.checkpoints = session->opened.names,
                                   .checkpoint_count = session->opened.count,
                                   .data = ls_source_info(session->opened.source),
                                   .split = ls_eval_split_words[session->attacks.split],
                                   .attacks = &session->attacks,
                                   .subjects = session->subjects,
                                   .subject_count = session->subject_count,
                                   .has_examples = arguments->output != NULL,
                                   .count = arguments->epsilon_count};
  char *json = NULL;
  ls_status status;
  LS_GO(ls_attack_report_json(&report, &json));
  if (arguments->output) LS_GO(ls_attack_write_report(arguments->output, &report, json));
  if (arguments->json)
    ls_print_json(json);
  else
    LS_GO(show_table(session, &report));
done:
  free(json);
  return status;
}

static bool takes_steps(const ls_attack_kind *kind)
{
  return kind->takes_steps;
}

static bool is_random(const ls_attack_kind *kind)
{
  return kind->is_random;
}

/* Say that options are for other methods than this one. */
static void warn_for(const char *name, const char *what, bool (*takes)(const ls_attack_kind *kind))
{
  ls_text others = {0};
  for (size_t k = 0; ls_attack_kinds[k]; k++)
    if (takes(ls_attack_kinds[k]))
      ls_text_add(&others, "%s%s", others.length > 0 ? " and " : "", ls_attack_kinds[k]->schema.name);
  ls_warn("%s %s for %s", name, what, ls_text_get(&others));
  ls_text_fini(&others);
}

/* Options that none of the methods takes. Rank 0. */
static void warn_idle(const ls_attack_arguments *arguments)
{
  const ls_robustness_options *attacks = &arguments->attacks;
  const char *name = attacks->methods[0]->schema.name;
  if (arguments->shapes_steps && !ls_attack_takes_steps(attacks))
    warn_for(name, "takes a single step: --steps and --step-size are", takes_steps);
  if (arguments->restarts_given && !ls_attack_is_random(attacks))
    warn_for(name, "always starts from the image itself: --restarts is", is_random);
}

static ls_status attack_all(ls_comm *comm, attack_session *session)
{
  LS_PASS(open_session(session, comm));
  if (session->arguments->output) LS_ROOT(comm, ls_folder_make(session->arguments->output));
  ls_activity_enter(ls_comm_activity(comm), "attacking");
  for (size_t k = 0; k < session->subject_count; k++) LS_PASS(attack_subject(session, comm, k));
  LS_ROOT(comm, show(session));
  return LS_OK;
}

static ls_status run_parsed(ls_comm *comm, const ls_attack_arguments *arguments)
{
  attack_session session = {.arguments = arguments, .attacks = arguments->attacks};
  if (ls_comm_rank(comm) == 0) warn_idle(arguments);
  const ls_status status = attack_all(comm, &session);
  close_session(&session);
  ls_watch_end(&session.watch, comm, status);
  return status;
}

static ls_status run(ls_comm *comm, int argc, char **argv)
{
  ls_attack_arguments arguments = {.attacks = {.split = LS_EVAL_TEST,
                                               .attack = {.steps = DEFAULT_STEPS},
                                               .restarts = 1,
                                               .target = LS_ANY_CLASS,
                                               .source_class = LS_ANY_CLASS,
                                               .limit = UINT64_MAX}};
  LS_AGREE(comm,
           ls_alloc(&arguments.checkpoints, (size_t)argc, sizeof *arguments.checkpoints, "the arguments"));
  bool done;
  ls_status status = ls_command_parse(comm, &ls_attack_argp, argc, argv, &arguments, &done);
  if (status == LS_OK && !done) status = run_parsed(comm, &arguments);
  free(arguments.checkpoints);
  return status;
}

const ls_command ls_command_attack = {
    .word = "attack", .doc = "attack trained networks with adversarial examples", .shares = true, .run = run};
