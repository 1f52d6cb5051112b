/* SPDX-License-Identifier: BSD-3-Clause */
/* Checkpoints that are evaluated, alone or as an ensemble. */
#include "cli/session.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/memory.h"
#include "cli/class_names.h"
#include "cli/data_options.h"
#include "cli/print.h"
#include "comm/placement/place.h"
#include "data/same.h"
#include "train/schemas.h"

/* The training split is no matter. Local. */
static ls_status check_held_out(const ls_session *session, size_t i)
{
  if (session->options.split != LS_EVAL_VALIDATION) return LS_OK;
  return ls_loaded_check_held_out(&session->networks[0], session->names[0], &session->networks[i],
                                  session->names[i]);
}

/* Micro-batches small enough for every member. */
static size_t common_microbatch(const ls_session *session)
{
  size_t microbatch = session->networks[0].spec->train.microbatch;
  for (size_t i = 1; i < session->count; i++)
    if (session->networks[i].spec->train.microbatch < microbatch)
      microbatch = session->networks[i].spec->train.microbatch;
  return microbatch;
}

static ls_status prepare_local(ls_session *session)
{
  const ls_dataset_info *data = ls_source_info(session->source);
  LS_PASS(ls_alloc(&session->members, session->count, sizeof *session->members, "the members"));
  if (session->options.tta)
    LS_PASS(ls_tta_new(&session->tta, session->threads, common_microbatch(session) * data->classes,
                       session->options.flips));
  session->fits_weights =
      session->count > 1 && session->options.split == LS_EVAL_TEST && !session->options.data;
  for (size_t i = 0; i < session->count; i++) {
    const ls_loaded *loaded = &session->networks[i];
    session->fits_weights =
        session->fits_weights && ls_loaded_holds_out_the_same(&session->networks[0], loaded);
    LS_PASS(ls_loaded_check_fit(loaded, data, session->names[i]));
    LS_PASS(check_held_out(session, i));
    ls_loaded_compare_classes(loaded, data, session->names[i], &session->other_classes);
    session->members[i].network = &loaded->network;
    session->members[i].tta = session->tta;
    LS_PASS(ls_workspaces_new(&session->members[i].workspaces, loaded->model, session->threads));
  }
  return LS_OK;
}

/* Collective. */
static ls_status open_networks(ls_comm *comm, ls_session *session)
{
  const size_t wanted = session->paths.count;
  LS_AGREE(comm, ls_alloc(&session->networks, wanted, sizeof *session->networks, "the networks"));
  LS_AGREE(comm, ls_alloc(&session->names, wanted, sizeof *session->names, "the networks"));
  for (; session->count < wanted; session->count++) {
    ls_loaded *loaded = &session->networks[session->count];
    LS_PASS(ls_loaded_open(loaded, comm, session->paths.items[session->count], &ls_all_schemas, false));
    session->names[session->count] = loaded->path;
    if (ls_comm_rank(comm) == 0) ls_print_each(stderr, "lockstep: ", &loaded->notes);
  }
  return LS_OK;
}

/* Data and workspaces. Collective. */
static ls_status prepare(ls_comm *comm, ls_session *session)
{
  ls_place place;
  LS_PASS(ls_place_find(comm, &place));
  session->threads = place.threads;
  ls_activity_enter(ls_comm_activity(comm), "opening the data");
  LS_AGREE(comm, ls_loaded_open_data(&session->source, &session->networks[0], session->options.data,
                                     &session->options.reading));
  LS_PASS(ls_source_check_same(session->source, comm));
  ls_activity_enter(ls_comm_activity(comm), "loading the data");
  LS_AGREE(comm, prepare_local(session));
  if (ls_comm_rank(comm) == 0) {
    if (!session->options.reported_data) ls_warn_each("", ls_source_notes(session->source));
    ls_warn_each("", &session->other_classes);
  }
  const ls_spec *spec = session->networks[0].spec;
  ls_loader_options loader = {.data = &spec->data,
                              .seed = spec->seed,
                              .batch = spec->train.batch,
                              .microbatch = common_microbatch(session),
                              .threads = session->threads,
                              .test_only = session->options.split == LS_EVAL_TEST && !session->fits_weights};
  LS_PASS(ls_loader_new(&session->loader, comm, session->source, &loader));
  if (ls_loader_eval_count(session->loader, session->options.split) > 0) return LS_OK;
  return ls_eval_split_empty(session->options.split, ls_source_info(session->source)->name);
}

/* What came of the votes. Rank 0. */
static ls_status count_votes(ls_session *session)
{
  LS_PASS(ls_class_names_of(&session->class_names, ls_source_info(session->source)));
  LS_PASS(ls_metrics_new(&session->metrics, &session->evaluation));
  if (session->count == 1) return LS_OK;
  return ls_ensemble_new(&session->ensemble, &session->votes,
                         session->held_out.samples > 0 ? &session->held_out : NULL);
}

ls_status ls_session_open(ls_session *session, ls_comm *comm, const ls_session_options *options,
                          const ls_watch *watch)
{
  *session = (ls_session){.options = *options};
  LS_PASS(ls_loaded_members(&session->paths, comm, options->checkpoints, options->count));
  LS_PASS(open_networks(comm, session));
  ls_watch_adopt(watch, &session->networks[0].spec->train);
  LS_PASS(prepare(comm, session));
  ls_activity_enter(ls_comm_activity(comm), "evaluating");
  const ls_soft_vote soft_vote = {session->members, session->count, session->threads};
  const ls_split of = options->split == LS_EVAL_TEST ? LS_SPLIT_TEST : LS_SPLIT_TRAIN;
  session->predictions.split_count = ls_source_info(session->source)->count[of];
  LS_PASS(ls_evaluate(&session->evaluation, comm, &soft_vote, session->loader, options->split,
                      options->predictions ? &session->predictions : NULL));
  if (session->count > 1)
    LS_PASS(ls_votes_collect(&session->votes, comm, &soft_vote, session->loader, options->split));
  if (session->fits_weights && ls_loader_eval_count(session->loader, LS_EVAL_VALIDATION) > 0)
    LS_PASS(ls_votes_collect(&session->held_out, comm, &soft_vote, session->loader, LS_EVAL_VALIDATION));
  LS_ROOT(comm, count_votes(session));
  return LS_OK;
}

void ls_session_fini(ls_session *session)
{
  ls_ensemble_free(session->ensemble);
  ls_metrics_free(session->metrics);
  free(session->class_names);
  ls_text_fini(&session->other_classes);
  ls_evaluation_fini(&session->evaluation);
  ls_predictions_fini(&session->predictions);
  ls_votes_fini(&session->votes);
  ls_votes_fini(&session->held_out);
  ls_loader_free(session->loader);
  ls_source_close(session->source);
  for (size_t i = 0; session->members && i < session->count; i++)
    ls_workspaces_free(session->members[i].workspaces, session->threads);
  free(session->members);
  ls_tta_free(session->tta);
  for (size_t i = 0; i < session->count; i++) ls_loaded_close(&session->networks[i]);
  free(session->networks);
  free(session->names);
  ls_names_fini(&session->paths);
}

void ls_session_report(const ls_session *session, ls_text *text)
{
  ls_metrics_report(session->metrics, ls_eval_split_words[session->options.split], session->class_names,
                    text);
  if (session->ensemble) ls_ensemble_report(session->ensemble, session->names, text);
}

void ls_session_csv(const ls_session *session, ls_text *csv)
{
  ls_text_add(csv, "index,label,class,probability,class_name\n");
  for (size_t i = 0; i < session->predictions.count; i++) {
    const ls_prediction *item = &session->predictions.items[i];
    ls_text_add(csv, "%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%.9g,", item->sample, item->label, item->class,
                item->probability);
    if (session->class_names)
      ls_text_add_csv(csv, session->class_names[item->class]);
    else
      ls_text_add(csv, "%" PRIu64, item->class);
    ls_text_add(csv, "\n");
  }
}

bool ls_session_add_json(const ls_session *session, json_t *document)
{
  bool fine = json_object_set_new(document, ls_eval_split_words[session->options.split],
                                  ls_metrics_json(session->metrics, session->class_names)) == 0;
  if (session->ensemble)
    fine &=
        json_object_set_new(document, "ensemble", ls_ensemble_json(session->ensemble, session->names)) == 0;
  return fine;
}
