/* SPDX-License-Identifier: BSD-3-Clause */
/* lockstep eval: the metrics of a trained network, or of several that vote, on a split of a dataset. */
#include <argp.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "cli/class_names.h"
#include "cli/command.h"
#include "cli/eval_split.h"
#include "comm/place.h"
#include "data/loader.h"
#include "data/same.h"
#include "data/source.h"
#include "data/split.h"
#include "eval/ensemble.h"
#include "eval/loaded.h"
#include "eval/metrics.h"
#include "eval/votes.h"
#include "train/evaluate.h"
#include "train/schemas.h"

enum { KEY_DATA = 256, KEY_SPLIT, KEY_TTA, KEY_JSON };

typedef struct eval_arguments {
  const char **checkpoints; /* pointers into argv */
  size_t count;
  const char *data;
  ls_eval_split split;
  bool json, tta, flips;
} eval_arguments;

/* What an evaluation works on, in the order in which it is made. */
typedef struct eval_session {
  ls_loaded *networks; /* [count] */
  ls_voter *voters;    /* [count] */
  ls_tta *tta;         /* of all voters; NULL: not asked for */
  size_t count, threads;
  ls_source *source;
  ls_loader *loader;
  bool fits_weights; /* several networks that held out the same samples, which are at hand */
} eval_session;

/* What was found out. */
typedef struct eval_findings {
  ls_evaluation evaluation;
  ls_votes votes, held_out; /* of several networks; rank 0 */
} eval_findings;

static error_t parse_tta(eval_arguments *arguments, const char *word, struct argp_state *state)
{
  arguments->tta = true;
  arguments->flips = word != NULL;
  if (!word || strcmp(word, "flip") == 0) return 0;
  argp_error(state, "--tta=%s: expected --tta or --tta=flip", word);
  return EINVAL;
}

static error_t check_arguments(const eval_arguments *arguments, struct argp_state *state)
{
  if (arguments->count > 0) return 0;
  argp_error(state, "no checkpoint given: a run directory holds best.h5 and checkpoint-<step>.h5");
  return EINVAL;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
  eval_arguments *arguments = state->input;
  if (key == KEY_DATA)
    arguments->data = value;
  else if (key == KEY_JSON)
    arguments->json = true;
  else if (key == KEY_TTA)
    return parse_tta(arguments, value, state);
  else if (key == KEY_SPLIT)
    return ls_eval_split_parse(&arguments->split, value, state);
  else if (key == ARGP_KEY_ARG)
    arguments->checkpoints[arguments->count++] = value;
  else if (key == ARGP_KEY_END)
    return check_arguments(arguments, state);
  else
    return ARGP_ERR_UNKNOWN;
  return 0;
}

static const struct argp_option options[] = {
    {"data", KEY_DATA, "SRC", 0,
     "Dataset: a catalogue name, a folder or an .h5 file (default: the one trained on)", 0},
    {"split", KEY_SPLIT, "SPLIT", 0, "test (default), validation or train", 0},
    {"tta", KEY_TTA, "flip", OPTION_ARG_OPTIONAL,
     "Look at each image nine times, as it is and shifted by a pixel, and take the mean of the "
     "probabilities; "
     "flip: and at the mirror images, where left and right mean the same",
     0},
    {"json", KEY_JSON, NULL, 0, "Print one JSON document and nothing else", 0},
    {0}};

static const struct argp argp = {
    .options = options,
    .parser = parse_option,
    .args_doc = "CHECKPOINT.h5 [CHECKPOINT.h5 ...]",
    .doc =
        "Evaluate a trained network; several vote softly (the mean of their probabilities decides), and are\n"
        "compared: each member, ways of voting, disagreement, calibration. Weights of a weighted vote are\n"
        "fitted on the validation split, if all held out the same.\v"
        "Examples:\n"
        "  lockstep eval runs/a/best.h5\n"
        "  lockstep eval runs/a/best.h5 --tta\n"
        "  mpirun -n 2 lockstep eval runs/a/best.h5 runs/b/best.h5 --split validation --json\n"};

/* Was the first network's validation split held out for this one too? Local. */
static bool holds_out_the_same(const eval_session *session, size_t i)
{
  const ls_loaded *first = &session->networks[0], *other = &session->networks[i];
  const ls_amount *a = &first->spec->data.validation, *b = &other->spec->data.validation;
  return a->is_fraction == b->is_fraction && a->count == b->count && a->fraction == b->fraction &&
         ls_holdout_seed(&first->spec->data, first->spec->seed) ==
             ls_holdout_seed(&other->spec->data, other->spec->seed) &&
         strcmp(first->info.dataset, other->info.dataset) == 0;
}

/* The training split is no matter. Local. */
static ls_status check_held_out(const eval_session *session, const eval_arguments *arguments, size_t i)
{
  if (arguments->split != LS_EVAL_VALIDATION || holds_out_the_same(session, i)) return LS_OK;
  return ls_fail(
      LS_E_INPUT,
      "'%s' and '%s' were trained with other validation splits (dataset, seed or data.validation differ): "
      "each has seen samples that the other has not; use --split test",
      arguments->checkpoints[0], arguments->checkpoints[i]);
}

/* Micro-batches small enough for every voter. */
static size_t common_microbatch(const eval_session *session)
{
  size_t microbatch = session->networks[0].spec->train.microbatch;
  for (size_t i = 1; i < session->count; i++)
    if (session->networks[i].spec->train.microbatch < microbatch)
      microbatch = session->networks[i].spec->train.microbatch;
  return microbatch;
}

static ls_status prepare_local(eval_session *session, const eval_arguments *arguments)
{
  const ls_dataset_info *data = ls_source_info(session->source);
  LS_PASS(ls_alloc(&session->voters, session->count, sizeof *session->voters, "the voters"));
  if (arguments->tta)
    LS_PASS(ls_tta_new(&session->tta, session->threads, common_microbatch(session) * data->classes,
                       arguments->flips));
  session->fits_weights = session->count > 1 && arguments->split == LS_EVAL_TEST && !arguments->data;
  for (size_t i = 0; i < session->count; i++) {
    const ls_loaded *loaded = &session->networks[i];
    session->fits_weights = session->fits_weights && holds_out_the_same(session, i);
    LS_PASS(ls_loaded_check_fit(loaded, data, arguments->checkpoints[i]));
    LS_PASS(check_held_out(session, arguments, i));
    session->voters[i].network = &loaded->network;
    session->voters[i].tta = session->tta;
    LS_PASS(ls_workspaces_new(&session->voters[i].workspaces, loaded->model, session->threads));
  }
  return LS_OK;
}

static ls_status open_source(eval_session *session, const eval_arguments *arguments)
{
  const ls_loaded *first = &session->networks[0];
  const char *where = arguments->data ? arguments->data : first->spec->data.source;
  return ls_source_open(&session->source, where, first->info.classes);
}

/* Networks, data and workspaces. Collective. */
static ls_status prepare(ls_comm *comm, eval_session *session, const eval_arguments *arguments)
{
  LS_AGREE(comm, ls_alloc(&session->networks, arguments->count, sizeof *session->networks, "the networks"));
  for (; session->count < arguments->count; session->count++)
    LS_PASS(ls_loaded_open(&session->networks[session->count], comm, arguments->checkpoints[session->count],
                           &ls_all_schemas, false));
  ls_place place;
  LS_PASS(ls_place_find(comm, &place));
  session->threads = place.threads;
  LS_AGREE(comm, open_source(session, arguments));
  LS_PASS(ls_source_check_same(session->source, comm));
  LS_AGREE(comm, prepare_local(session, arguments));
  const ls_spec *spec = session->networks[0].spec;
  ls_loader_options loader = {.data = &spec->data,
                              .seed = spec->seed,
                              .batch = spec->train.batch,
                              .microbatch = common_microbatch(session),
                              .threads = session->threads,
                              .test_only = arguments->split == LS_EVAL_TEST && !session->fits_weights};
  LS_PASS(ls_loader_new(&session->loader, comm, session->source, &loader));
  if (ls_loader_eval_count(session->loader, arguments->split) > 0) return LS_OK;
  return ls_eval_split_empty(arguments->split, ls_source_info(session->source)->name);
}

static void release(eval_session *session)
{
  ls_loader_free(session->loader);
  ls_source_close(session->source);
  for (size_t i = 0; session->voters && i < session->count; i++)
    ls_workspaces_free(session->voters[i].workspaces, session->threads);
  free(session->voters);
  ls_tta_free(session->tta);
  for (size_t i = 0; i < session->count; i++) ls_loaded_close(&session->networks[i]);
  free(session->networks);
}

static ls_status print_json(const ls_metrics *metrics, const ls_ensemble *ensemble, const char *split,
                            const char *const *names, const char *const *members)
{
  json_t *document = json_pack("{s:o}", split, ls_metrics_json(metrics, names));
  if (ensemble) json_object_set_new(document, "ensemble", ls_ensemble_json(ensemble, members));
  char *text = document ? json_dumps(document, JSON_INDENT(2) | JSON_REAL_PRECISION(10)) : NULL;
  if (text) puts(text);
  free(text);
  json_decref(document);
  return text ? LS_OK : ls_fail(LS_E_MEMORY, "no memory for the JSON document");
}

static void print_report(const ls_metrics *metrics, const ls_ensemble *ensemble, const char *split,
                         const char *const *names, const char *const *members)
{
  ls_text report = {0};
  ls_metrics_report(metrics, split, names, &report);
  if (ensemble) ls_ensemble_report(ensemble, members, &report);
  fputs(ls_text_get(&report), stdout);
  ls_text_fini(&report);
}

/* Rank 0. */
static ls_status show(const eval_findings *findings, const eval_session *session,
                      const eval_arguments *arguments)
{
  const ls_evaluation *evaluation = &findings->evaluation;
  const char *split = ls_eval_split_words[arguments->split];
  const char **names = NULL;
  ls_metrics *metrics = NULL;
  ls_ensemble *ensemble = NULL;
  ls_status status;
  LS_GO(ls_class_names_of(&names, ls_source_info(session->source)));
  LS_GO(ls_metrics_new(&metrics, evaluation->confusion, evaluation->classes, evaluation->loss));
  if (session->count > 1)
    LS_GO(ls_ensemble_new(&ensemble, &findings->votes,
                          findings->held_out.samples > 0 ? &findings->held_out : NULL));
  if (arguments->json)
    status = print_json(metrics, ensemble, split, names, arguments->checkpoints);
  else
    print_report(metrics, ensemble, split, names, arguments->checkpoints);
done:
  ls_ensemble_free(ensemble);
  ls_metrics_free(metrics);
  free(names);
  return status;
}

/* Collective. */
static ls_status find(eval_findings *findings, ls_comm *comm, const eval_session *session,
                      ls_eval_split split)
{
  const ls_electorate electorate = {session->voters, session->count, session->threads};
  LS_PASS(ls_evaluate(&findings->evaluation, comm, &electorate, session->loader, split));
  if (session->count == 1) return LS_OK;
  LS_PASS(ls_votes_collect(&findings->votes, comm, &electorate, session->loader, split));
  if (!session->fits_weights || ls_loader_eval_count(session->loader, LS_EVAL_VALIDATION) == 0) return LS_OK;
  return ls_votes_collect(&findings->held_out, comm, &electorate, session->loader, LS_EVAL_VALIDATION);
}

static ls_status evaluate(ls_comm *comm, const eval_arguments *arguments)
{
  eval_session session = {.count = 0};
  eval_findings findings = {0};
  ls_status status;
  LS_GO(prepare(comm, &session, arguments));
  LS_GO(find(&findings, comm, &session, arguments->split));
  LS_GO(ls_comm_agree(comm, ls_comm_rank(comm) == 0 ? show(&findings, &session, arguments) : LS_OK));
done:
  ls_evaluation_fini(&findings.evaluation);
  ls_votes_fini(&findings.votes);
  ls_votes_fini(&findings.held_out);
  release(&session);
  return status;
}

static ls_status run(ls_comm *comm, int argc, char **argv)
{
  eval_arguments arguments = {.split = LS_EVAL_TEST};
  LS_AGREE(comm,
           ls_alloc(&arguments.checkpoints, (size_t)argc, sizeof *arguments.checkpoints, "the arguments"));
  bool done;
  ls_status status = ls_command_parse(comm, &argp, argc, argv, &arguments, &done);
  if (status == LS_OK && !done) status = evaluate(comm, &arguments);
  free(arguments.checkpoints);
  return status;
}

const ls_command ls_command_eval = {
    .word = "eval", .doc = "evaluate trained networks: metrics and confusion matrix", .run = run};
