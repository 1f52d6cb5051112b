/* SPDX-License-Identifier: BSD-3-Clause */
/* The checkpoints of a run directory: the newest intact one, and the removal of those no longer wanted. Files
 * are ordered by the step in their names, since clocks and copies make times unreliable. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/show.h"
#include "base/text.h"
#include "store/checkpoint.h"
#include "h5/h5.h"
#include "store/internal.h"
#include "base/files/temporary.h"
#include "h5/seal.h"

enum { NAME_BYTES = 64 }; /* of a file of ours; longer ones are others' */

typedef struct listing {
  ls_names names;  /* of all files */
  uint64_t *steps; /* of the checkpoint-<step>.h5 among them, newest first */
  size_t count;
} listing;

bool ls_name_number(const char *name, const char *prefix, const char *suffix, uint64_t *number)
{
  char digits[24];
  size_t length = strlen(name), around = strlen(prefix) + strlen(suffix);
  if (length <= around || length - around >= sizeof digits) return false;
  if (strncmp(name, prefix, strlen(prefix)) != 0 || strcmp(name + length - strlen(suffix), suffix) != 0)
    return false;
  snprintf(digits, length - around + 1, "%s", name + strlen(prefix));
  return ls_parse_count(digits, number) && (digits[0] != '0' || digits[1] == '\0');
}

/* A temporary file that an interrupted write has left? Only this process writes into the folder of this run.
 * Those of earlier versions were called <file>.tmp. */
static bool is_stale(const char *name)
{
  static const char *const ours[] = {"best.h5",      "metrics.h5",    "metrics.csv",    "config.yaml",
                                     "summary.json", "ensemble.json", "reliability.svg"};
  char file[NAME_BYTES];
  uint64_t step;
  const size_t length = strlen(name), ending = strlen(".tmp");
  if (!ls_temporary_is(name, file, sizeof file)) {
    if (length <= ending || length - ending >= sizeof file || strcmp(name + length - ending, ".tmp") != 0)
      return false;
    snprintf(file, length - ending + 1, "%s", name);
  }
  for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
    if (strcmp(file, ours[i]) == 0) return true;
  return ls_name_number(file, "checkpoint-", ".h5", &step) || ls_name_number(file, "snapshot-", ".h5", &step);
}

static void listing_fini(listing *self)
{
  ls_names_fini(&self->names);
  free(self->steps);
}

static int compare_newest_first(const void *a, const void *b)
{
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x < y) - (x > y);
}

static ls_status list(listing *self, const ls_directory *run_dir)
{
  *self = (listing){.count = 0};
  LS_PASS(ls_directory_list(run_dir, &self->names));
  LS_PASS(ls_alloc(&self->steps, self->names.count, sizeof *self->steps, "the checkpoints of a run"));
  for (size_t i = 0; i < self->names.count; i++)
    self->count += ls_name_number(self->names.items[i], "checkpoint-", ".h5", &self->steps[self->count]);
  qsort(self->steps, self->count, sizeof *self->steps, compare_newest_first);
  return LS_OK;
}

const char *ls_checkpoint_name(uint64_t step, char name[LS_CHECKPOINT_NAME_CHARS])
{
  snprintf(name, LS_CHECKPOINT_NAME_CHARS, "checkpoint-%" PRIu64 ".h5", step);
  return name;
}

/* ---- newest ---- */

static ls_status verify_open(ls_h5_id file, void *user)
{
  (void)user;
  ls_checkpoint_info info;
  LS_PASS(ls_info_read(file, &info));
  ls_status status = ls_checkpoint_verify(file, &info);
  ls_checkpoint_info_fini(&info);
  return status;
}

ls_status ls_checkpoint_examine(const char *path)
{
  return ls_h5_read(path, verify_open, NULL);
}

/* Is a checkpoint damaged, or gone? An error that keeps it from being read is no damage: the run must not go
 * on from an older one then. */
static ls_status examine(const ls_directory *run_dir, uint64_t step, char **path, bool *intact)
{
  char name[LS_CHECKPOINT_NAME_CHARS];
  bool found;
  ls_checkpoint_name(step, name);
  *intact = false;
  LS_PASS(ls_directory_find(run_dir, name, &found));
  LS_PASS(ls_directory_path(run_dir, name, path));
  const ls_status status =
      found ? ls_checkpoint_examine(*path) : ls_fail(LS_E_INPUT, "it has been removed, or leads to nothing");
  *intact = status == LS_OK;
  if (status == LS_OK || status == LS_E_INPUT) return LS_OK;
  return ls_wrap(status, "cannot read checkpoint '%s'", *path);
}

/* Find the first that is intact. */
static ls_status find_intact(const listing *self, const ls_directory *run_dir, char **path, ls_text *damaged)
{
  for (size_t i = 0; i < self->count; i++) {
    char *candidate = NULL;
    bool intact;
    const ls_status status = examine(run_dir, self->steps[i], &candidate, &intact);
    if (status == LS_OK && intact) {
      *path = candidate;
      return LS_OK;
    }
    if (status == LS_OK)
      ls_text_show(damaged,
                   damaged->length > 0 ? "\nskipping checkpoint '%s': %s" : "skipping checkpoint '%s': %s",
                   candidate, ls_error_last()->text);
    free(candidate);
    LS_PASS(status);
  }
  return LS_OK;
}

ls_status ls_checkpoint_newest(const ls_directory *run_dir, char **path, ls_text *damaged)
{
  *path = NULL;
  listing found;
  ls_status status = list(&found, run_dir);
  if (status == LS_OK) status = find_intact(&found, run_dir, path, damaged);
  listing_fini(&found);
  return status;
}

/* ---- prune ---- */

static ls_status remove_stale(const listing *self, const ls_directory *run_dir)
{
  for (size_t i = 0; i < self->names.count; i++)
    if (is_stale(self->names.items[i])) LS_PASS(ls_directory_remove(run_dir, self->names.items[i]));
  return LS_OK;
}

/* One that cannot be read just now does not count either: no older one is removed for it. */
static bool is_intact(const ls_directory *run_dir, uint64_t step)
{
  char *path = NULL;
  bool intact;
  const bool known = examine(run_dir, step, &path, &intact) == LS_OK;
  free(path);
  return known && intact;
}

/* Damaged checkpoints do not count: otherwise, after a resume from an older one, good ones would be removed
 * for them. They stay until the user removes them, or the run writes over them. */
static ls_status remove_old(const listing *self, const ls_directory *run_dir, size_t keep,
                            const ls_step_range *known)
{
  size_t intact = 0;
  for (size_t i = 0; i < self->count; i++) {
    const uint64_t step = self->steps[i];
    char name[LS_CHECKPOINT_NAME_CHARS];
    ls_checkpoint_name(step, name);
    if (intact >= keep)
      LS_PASS(ls_directory_remove(run_dir, name));
    else
      intact += (step >= known->first && step <= known->last) || is_intact(run_dir, step);
  }
  return LS_OK;
}

ls_status ls_checkpoint_prune(const ls_directory *run_dir, size_t keep, const ls_step_range *known)
{
  listing found;
  ls_status status;
  LS_GO(list(&found, run_dir));
  LS_GO(remove_old(&found, run_dir, keep, known));
  LS_GO(remove_stale(&found, run_dir));
done:
  listing_fini(&found);
  return status;
}
