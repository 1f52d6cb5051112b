/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/train/ensemble_config.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "cli/print.h"
#include "cli/run_dir.h"

/* A member's configuration file and overrides: those of the command line first. */
typedef struct member_config {
  const char *file, *text; /* borrowed */
  const char **overrides;  /* [count]; the array is owned */
  size_t count;
  char *own; /* the texts of its own ones */
} member_config;

static void release_config(member_config *config)
{
  free(config->overrides);
  free(config->own);
}

static void add_override(member_config *config, const char *text)
{
  config->overrides[config->count++] = text;
}

/* The configuration of a member's own run; NULL: the ensemble's is taken. */
static const char *own_text(const ls_ensemble_config *ensemble, size_t member)
{
  return ensemble->own ? ensemble->own[2 * member] : NULL;
}

/* A member is a network of its own, with the seed of its number, and holds out what all hold out. Its own
 * overrides come last, separated by ';', which become ends of texts. */
static ls_status write_own(const ls_ensemble_config *ensemble, size_t member, char **out)
{
  if (own_text(ensemble, member)) return ls_text_copy(out, "ensemble={members: 0}");

  const ls_text_list *overrides = &ensemble->spec->ensemble.overrides;
  const ls_count_or_word *split = &ensemble->spec->data.split_seed;
  const size_t seed = ensemble->spec->seed;
  ls_text text = {0};
  ls_text_add(&text, "ensemble={members: 0};seed=%zu;data.split_seed=%zu", seed + member,
              split->word < 0 ? split->count : seed);
  const char *its = overrides->count > 0 ? overrides->items[member % overrides->count] : "none";
  if (strcmp(its, "none") != 0) ls_text_add(&text, ";%s", its);
  return ls_text_take(&text, out);
}

/* Local. */
static ls_status configure(const ls_ensemble_config *ensemble, size_t member, member_config *out)
{
  const ls_text_list *files = &ensemble->spec->ensemble.configs;
  const ls_setup_arguments *arguments = ensemble->arguments;
  *out = (member_config){.file = arguments->config, .text = ensemble->text};
  if (files->count > 0) out->file = files->items[member % files->count];
  if (files->count > 0) out->text = ensemble->texts[member % files->count];
  if (own_text(ensemble, member)) {
    out->file = ensemble->own[2 * member + 1];
    out->text = ensemble->own[2 * member];
  }
  LS_PASS(write_own(ensemble, member, &out->own));
  LS_PASS(ls_alloc(&out->overrides, arguments->override_count + strlen(out->own), sizeof *out->overrides,
                   "the overrides of a member"));
  for (size_t i = 0; i < arguments->override_count; i++) add_override(out, arguments->overrides[i]);
  char *rest;
  for (char *part = strtok_r(out->own, ";", &rest); part; part = strtok_r(NULL, ";", &rest)) {
    part += strspn(part, " ");
    if (*part) add_override(out, part);
  }
  return LS_OK;
}

ls_status ls_ensemble_config_parse(const ls_ensemble_config *ensemble, size_t member, ls_setup *setup)
{
  member_config config;
  ls_status status;
  LS_GO(configure(ensemble, member, &config));
  LS_GO(ls_text_copy(&setup->text, config.text));
  status = ls_setup_parse_config(setup, &(ls_setup_arguments){.config = config.file,
                                                              .overrides = config.overrides,
                                                              .override_count = config.count});
done:
  release_config(&config);
  return status;
}

/* Does a member have no configuration but the i-th file? */
static bool is_needed(const ls_ensemble_config *ensemble, size_t i)
{
  bool needed = false;
  for (size_t m = i; m < ensemble->spec->ensemble.members; m += ensemble->spec->ensemble.configs.count)
    needed |= !own_text(ensemble, m);
  return needed;
}

/* Collective. */
static ls_status read_configs(ls_ensemble_config *ensemble, ls_comm *comm)
{
  const ls_text_list *files = &ensemble->spec->ensemble.configs;
  LS_AGREE(comm,
           ls_alloc(&ensemble->texts, files->count, sizeof *ensemble->texts, "the members' configurations"));
  for (size_t i = 0; i < files->count; i++) {
    if (!is_needed(ensemble, i)) continue;
    LS_ROOT(comm, ls_config_file_read(files->items[i], &ensemble->texts[i]));
    LS_PASS(ls_comm_broadcast_text(comm, &ensemble->texts[i]));
  }
  return LS_OK;
}

/* Rank 0. */
static ls_status read_own_config(const ls_ensemble_config *ensemble, size_t member, const char *run_path)
{
  ls_text text = {0}, notes = {0};
  char *path;
  ls_text_add(&text, "%s/member-%zu", run_path, member + 1);
  LS_PASS(ls_text_take(&text, &path));
  const ls_status status =
      ls_run_dir_config(path, &ensemble->own[2 * member], &ensemble->own[2 * member + 1], &notes);
  ls_warn_each("", &notes);
  ls_text_fini(&notes);
  free(path);
  return status;
}

/* A run that goes on by itself: each member has kept what it was given, also on the command line. Collective.
 */
static ls_status read_own_configs(ls_ensemble_config *ensemble, ls_comm *comm, const char *run_path)
{
  if (!ensemble->arguments->own_config) return LS_OK;
  LS_AGREE(comm, ls_alloc(&ensemble->own, ensemble->spec->ensemble.members, 2 * sizeof *ensemble->own,
                          "the members' configurations"));
  for (size_t m = 0; m < ensemble->spec->ensemble.members; m++) {
    LS_ROOT(comm, read_own_config(ensemble, m, run_path));
    bool has = ensemble->own[2 * m] != NULL;
    LS_PASS(ls_comm_broadcast(comm, &has, sizeof has));
    if (!has) continue;
    LS_PASS(ls_comm_broadcast_text(comm, &ensemble->own[2 * m]));
    LS_PASS(ls_comm_broadcast_text(comm, &ensemble->own[2 * m + 1]));
  }
  return LS_OK;
}

ls_status ls_ensemble_config_read(ls_ensemble_config *ensemble, ls_comm *comm, const char *run_path)
{
  LS_PASS(read_own_configs(ensemble, comm, run_path));
  return read_configs(ensemble, comm);
}

bool ls_ensemble_config_differs(const ls_ensemble_config *ensemble)
{
  const ls_spec_ensemble *spec = &ensemble->spec->ensemble;
  return spec->configs.count > 0 || spec->overrides.count > 0 || ensemble->own;
}

void ls_ensemble_config_fini(ls_ensemble_config *ensemble)
{
  const ls_spec_ensemble *spec = &ensemble->spec->ensemble;
  for (size_t i = 0; ensemble->texts && i < spec->configs.count; i++) free(ensemble->texts[i]);
  free(ensemble->texts);
  for (size_t i = 0; ensemble->own && i < 2 * spec->members; i++) free(ensemble->own[i]);
  free(ensemble->own);
}
