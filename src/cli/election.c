/* SPDX-License-Identifier: BSD-3-Clause */
/* Checkpoints that are evaluated, alone or as an ensemble. */
#include "cli/election.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/memory.h"
#include "cli/class_names.h"
#include "cli/eval_split.h"
#include "cli/print.h"
#include "comm/placement/place.h"
#include "data/same.h"
#include "train/schemas.h"

/* The training split is no matter. Local. */
static ls_status check_held_out(const ls_election *election, size_t i)
{
  if (election->wish.split != LS_EVAL_VALIDATION) return LS_OK;
  return ls_loaded_check_held_out(&election->networks[0], election->names[0], &election->networks[i],
                                  election->names[i]);
}

/* Micro-batches small enough for every voter. */
static size_t common_microbatch(const ls_election *election)
{
  size_t microbatch = election->networks[0].spec->train.microbatch;
  for (size_t i = 1; i < election->count; i++)
    if (election->networks[i].spec->train.microbatch < microbatch)
      microbatch = election->networks[i].spec->train.microbatch;
  return microbatch;
}

static ls_status prepare_local(ls_election *election)
{
  const ls_dataset_info *data = ls_source_info(election->source);
  LS_PASS(ls_alloc(&election->voters, election->count, sizeof *election->voters, "the voters"));
  if (election->wish.tta)
    LS_PASS(ls_tta_new(&election->tta, election->threads, common_microbatch(election) * data->classes,
                       election->wish.flips));
  election->fits_weights =
      election->count > 1 && election->wish.split == LS_EVAL_TEST && !election->wish.data;
  for (size_t i = 0; i < election->count; i++) {
    const ls_loaded *loaded = &election->networks[i];
    election->fits_weights =
        election->fits_weights && ls_loaded_holds_out_the_same(&election->networks[0], loaded);
    LS_PASS(ls_loaded_check_fit(loaded, data, election->names[i]));
    LS_PASS(check_held_out(election, i));
    ls_loaded_compare_classes(loaded, data, election->names[i], &election->other_classes);
    election->voters[i].network = &loaded->network;
    election->voters[i].tta = election->tta;
    LS_PASS(ls_workspaces_new(&election->voters[i].workspaces, loaded->model, election->threads));
  }
  return LS_OK;
}

/* Collective. */
static ls_status open_networks(ls_comm *comm, ls_election *election)
{
  const size_t wanted = election->paths.count;
  LS_AGREE(comm, ls_alloc(&election->networks, wanted, sizeof *election->networks, "the networks"));
  LS_AGREE(comm, ls_alloc(&election->names, wanted, sizeof *election->names, "the networks"));
  for (; election->count < wanted; election->count++) {
    ls_loaded *loaded = &election->networks[election->count];
    LS_PASS(ls_loaded_open(loaded, comm, election->paths.items[election->count], &ls_all_schemas, false));
    election->names[election->count] = loaded->path;
    if (ls_comm_rank(comm) == 0) ls_print_each(stderr, "lockstep: ", &loaded->notes);
  }
  return LS_OK;
}

/* Data and workspaces. Collective. */
static ls_status prepare(ls_comm *comm, ls_election *election)
{
  ls_place place;
  LS_PASS(ls_place_find(comm, &place));
  election->threads = place.threads;
  ls_activity_enter(ls_comm_activity(comm), "opening the data");
  LS_AGREE(comm, ls_loaded_open_data(&election->source, &election->networks[0], election->wish.data,
                                     &election->wish.reading));
  LS_PASS(ls_source_check_same(election->source, comm));
  ls_activity_enter(ls_comm_activity(comm), "loading the data");
  LS_AGREE(comm, prepare_local(election));
  if (ls_comm_rank(comm) == 0) {
    if (!election->wish.told_data) ls_warn_each("", ls_source_notes(election->source));
    ls_warn_each("", &election->other_classes);
  }
  const ls_spec *spec = election->networks[0].spec;
  ls_loader_options loader = {.data = &spec->data,
                              .seed = spec->seed,
                              .batch = spec->train.batch,
                              .microbatch = common_microbatch(election),
                              .threads = election->threads,
                              .test_only = election->wish.split == LS_EVAL_TEST && !election->fits_weights};
  LS_PASS(ls_loader_new(&election->loader, comm, election->source, &loader));
  if (ls_loader_eval_count(election->loader, election->wish.split) > 0) return LS_OK;
  return ls_eval_split_empty(election->wish.split, ls_source_info(election->source)->name);
}

/* What came of the votes. Rank 0. */
static ls_status count_votes(ls_election *election)
{
  LS_PASS(ls_class_names_of(&election->class_names, ls_source_info(election->source)));
  LS_PASS(ls_metrics_new(&election->metrics, &election->evaluation));
  if (election->count == 1) return LS_OK;
  return ls_ensemble_new(&election->ensemble, &election->votes,
                         election->held_out.samples > 0 ? &election->held_out : NULL);
}

ls_status ls_election_hold(ls_election *election, ls_comm *comm, const ls_election_wish *wish,
                           const ls_watch *watch)
{
  *election = (ls_election){.wish = *wish};
  LS_PASS(ls_loaded_voters(&election->paths, comm, wish->checkpoints, wish->count));
  LS_PASS(open_networks(comm, election));
  ls_watch_adopt(watch, &election->networks[0].spec->train);
  LS_PASS(prepare(comm, election));
  ls_activity_enter(ls_comm_activity(comm), "evaluating");
  const ls_electorate electorate = {election->voters, election->count, election->threads};
  const ls_split of = wish->split == LS_EVAL_TEST ? LS_SPLIT_TEST : LS_SPLIT_TRAIN;
  election->predictions.split_count = ls_source_info(election->source)->count[of];
  LS_PASS(ls_evaluate(&election->evaluation, comm, &electorate, election->loader, wish->split,
                      wish->predictions ? &election->predictions : NULL));
  if (election->count > 1)
    LS_PASS(ls_votes_collect(&election->votes, comm, &electorate, election->loader, wish->split));
  if (election->fits_weights && ls_loader_eval_count(election->loader, LS_EVAL_VALIDATION) > 0)
    LS_PASS(ls_votes_collect(&election->held_out, comm, &electorate, election->loader, LS_EVAL_VALIDATION));
  LS_ROOT(comm, count_votes(election));
  return LS_OK;
}

void ls_election_fini(ls_election *election)
{
  ls_ensemble_free(election->ensemble);
  ls_metrics_free(election->metrics);
  free(election->class_names);
  ls_text_fini(&election->other_classes);
  ls_evaluation_fini(&election->evaluation);
  ls_predictions_fini(&election->predictions);
  ls_votes_fini(&election->votes);
  ls_votes_fini(&election->held_out);
  ls_loader_free(election->loader);
  ls_source_close(election->source);
  for (size_t i = 0; election->voters && i < election->count; i++)
    ls_workspaces_free(election->voters[i].workspaces, election->threads);
  free(election->voters);
  ls_tta_free(election->tta);
  for (size_t i = 0; i < election->count; i++) ls_loaded_close(&election->networks[i]);
  free(election->networks);
  free(election->names);
  ls_names_fini(&election->paths);
}

void ls_election_report(const ls_election *election, ls_text *text)
{
  ls_metrics_report(election->metrics, ls_eval_split_words[election->wish.split], election->class_names,
                    text);
  if (election->ensemble) ls_ensemble_report(election->ensemble, election->names, text);
}

void ls_election_csv(const ls_election *election, ls_text *csv)
{
  ls_text_add(csv, "index,label,class,probability,class_name\n");
  for (size_t i = 0; i < election->predictions.count; i++) {
    const ls_prediction *item = &election->predictions.items[i];
    ls_text_add(csv, "%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%.9g,", item->sample, item->label, item->class,
                item->probability);
    if (election->class_names)
      ls_text_add_csv(csv, election->class_names[item->class]);
    else
      ls_text_add(csv, "%" PRIu64, item->class);
    ls_text_add(csv, "\n");
  }
}

bool ls_election_add_json(const ls_election *election, json_t *document)
{
  bool fine = json_object_set_new(document, ls_eval_split_words[election->wish.split],
                                  ls_metrics_json(election->metrics, election->class_names)) == 0;
  if (election->ensemble)
    fine &=
        json_object_set_new(document, "ensemble", ls_ensemble_json(election->ensemble, election->names)) == 0;
  return fine;
}
