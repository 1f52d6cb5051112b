/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds a checkpoint from the path of a run directory, or of a file that is missing in one. */
#include "store/checkpoint_find.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/files/file.h"
#include "base/memory.h"
#include "base/show.h"
#include "store/checkpoint.h"
#include "store/internal.h"

static const char BEST[] = "best.h5";

/* The kind of file at a path; an error in finding out is left to the call that opens the file. */
static ls_file_kind kind_of(const char *path)
{
  ls_file_kind kind;
  return ls_file_look(&kind, path) == LS_OK ? kind : LS_FILE_OTHER;
}

static void note(ls_text *notes, const char *path, const char *choice)
{
  if (notes) ls_text_show(notes, "%s: %s", path, choice);
  if (notes) ls_text_add(notes, "\n");
}

/* ---- ensembles ---- */

/* A name <prefix><number><suffix>: of a member's run directory, or of a snapshot. */
typedef struct member_kind {
  const char *prefix, *suffix;
} member_kind;

static const member_kind member_kinds[] = {{"member-", ""}, {"snapshot-", ".h5"}};

static int compare_numbers(const void *a, const void *b)
{
  const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

/* A path without the slash that a shell's completion appends. */
static int folder_chars(const char *folder)
{
  size_t length = strlen(folder);
  while (length > 1 && folder[length - 1] == '/') length--;
  return (int)length;
}

/* `kind`: NULL is the folder itself. */
static ls_status add_member(const char *folder, const member_kind *kind, uint64_t number, ls_names *out)
{
  char *path;
  ls_text text = {0};
  if (kind)
    ls_text_add(&text, "%.*s/%s%" PRIu64 "%s", folder_chars(folder), folder, kind->prefix, number,
                kind->suffix);
  else
    ls_text_add(&text, "%s", folder);
  LS_PASS(ls_text_take(&text, &path));
  const ls_status status = ls_names_add(out, path);
  free(path);
  return status;
}

/* All members of a kind among the names in a folder, by their numbers, some of which may be missing. */
static ls_status add_members(const char *folder, const ls_names *names, const member_kind *kind,
                             ls_names *out)
{
  uint64_t *numbers;
  size_t count = 0;
  ls_status status = LS_OK;
  LS_PASS(ls_alloc(&numbers, names->count, sizeof *numbers, "the members' numbers"));
  for (size_t i = 0; i < names->count; i++)
    count += ls_name_number(names->items[i], kind->prefix, kind->suffix, &numbers[count]);
  qsort(numbers, count, sizeof *numbers, compare_numbers);
  for (size_t i = 0; i < count && status == LS_OK; i++) status = add_member(folder, kind, numbers[i], out);
  free(numbers);
  return status;
}

/* Members of an ensemble's folder; none if it is no ensemble's. */
static ls_status list_members(const char *folder, ls_names *out)
{
  ls_directory directory;
  ls_names names = {.count = 0};
  const size_t before = out->count;
  ls_status status;
  LS_PASS(ls_directory_open(&directory, folder));
  LS_GO(ls_directory_list(&directory, &names));
  for (size_t i = 0; i < sizeof member_kinds / sizeof *member_kinds && out->count == before; i++)
    LS_GO(add_members(folder, &names, &member_kinds[i], out));
done:
  ls_names_fini(&names);
  ls_directory_close(&directory);
  return status;
}

ls_status ls_checkpoint_members(const char *path, ls_names *members)
{
  const size_t before = members->count;
  if (kind_of(path) == LS_FILE_FOLDER) LS_PASS(list_members(path, members));
  return members->count > before ? LS_OK : add_member(path, NULL, 0, members);
}

/* ---- run directories ---- */

/* A folder without a checkpoint may hold those of an ensemble's members. */
static ls_status fail_empty(const char *folder)
{
  ls_names members = {.count = 0};
  ls_text word = {0};
  ls_status status = list_members(folder, &members);
  ls_text_show_word(&word, folder);
  if (status == LS_OK && members.count > 0)
    status =
        ls_fail(LS_E_INPUT,
                "'%s' holds an ensemble: take one of its members, '%s' (`lockstep eval %s` lets them vote)",
                folder, members.items[0], ls_text_get(&word));
  else if (status == LS_OK)
    status = ls_fail(LS_E_INPUT, "'%s' is a folder, and there is no checkpoint in it", folder);
  ls_text_fini(&word);
  ls_names_fini(&members);
  return status;
}

/* The newest intact checkpoint, or none. */
static ls_status find_newest(const char *folder, char **found, ls_text *notes)
{
  ls_directory directory;
  ls_text damaged = {0};
  LS_PASS(ls_directory_open(&directory, folder));
  const ls_status status = ls_checkpoint_newest(&directory, found, &damaged);
  if (status == LS_OK && damaged.length > 0 && notes) ls_text_add(notes, "%s\n", ls_text_get(&damaged));
  const bool is_damaged = damaged.length > 0, failed = damaged.failed;
  ls_text_fini(&damaged);
  ls_directory_close(&directory);
  if (status == LS_OK && failed)
    return ls_fail(LS_E_MEMORY, "no memory for the names of damaged checkpoints");
  if (status != LS_OK || *found || !is_damaged) return status;
  return ls_fail(LS_E_INPUT, "every checkpoint in '%s' is damaged", folder);
}

/* The checkpoint of a folder: best.h5, else the newest. */
static ls_status find_in(const char *folder, char **found, ls_text *notes)
{
  ls_text text = {0};
  char *best;
  ls_text_add(&text, "%.*s/%s", folder_chars(folder), folder, BEST);
  LS_PASS(ls_text_take(&text, &best));
  if (kind_of(best) != LS_FILE_NONE) {
    *found = best;
    note(notes, best, "the checkpoint of the best epoch is taken");
    return LS_OK;
  }
  free(best);
  LS_PASS(find_newest(folder, found, notes));
  if (!*found) return fail_empty(folder);
  note(notes, *found, "the newest checkpoint is taken, there is no best.h5");
  return LS_OK;
}

/* ---- missing files ---- */

/* Why a run has no best.h5, by its newest checkpoint. */
static ls_status explain_best(const char *newest, const char **reason)
{
  ls_checkpoint_info info = {.config = NULL};
  LS_PASS(ls_checkpoint_read_info(newest, &info));
  *reason = "it has been removed";
  if (info.progress.epoch == 0)
    *reason = "the run has not finished its first epoch";
  else if (info.progress.best_epoch == 0)
    *reason = "no epoch is the best without a validation split (data.validation is 0)";
  ls_checkpoint_info_fini(&info);
  return LS_OK;
}

/* A file that is missing beside checkpoints of a run. LS_OK: there are none either. */
static ls_status explain_missing(const char *path, const char *folder, const char *name)
{
  char *newest = NULL;
  const char *reason = "a run keeps its newest ones (checkpoint.keep)";
  LS_PASS(find_newest(folder, &newest, NULL)); /* an error while looking is not reported as a missing file */
  if (!newest) return LS_OK;
  ls_status status = LS_OK;
  if (strcmp(name, BEST) == 0) status = explain_best(newest, &reason);
  if (status == LS_OK)
    status = ls_fail(LS_E_INPUT, "'%s' is not there: %s; the newest checkpoint of this run is '%s'", path,
                     reason, newest);
  free(newest);
  return status;
}

/* The folder that a file of a run is in, by the file's name; NULL: it is none, or that is not there. */
static ls_status find_folder(const char *path, char **folder, const char **name)
{
  const char *slash = strrchr(path, '/');
  ls_text text = {0};
  *folder = NULL;
  *name = slash ? slash + 1 : path;
  if (strcmp(*name, BEST) != 0 && fnmatch("checkpoint-*.h5", *name, 0) != 0) return LS_OK;
  if (slash)
    ls_text_add_bytes(&text, path, slash == path ? 1 : (size_t)(slash - path));
  else
    ls_text_add(&text, ".");
  LS_PASS(ls_text_take(&text, folder));
  if (kind_of(*folder) == LS_FILE_FOLDER) return LS_OK;
  free(*folder);
  *folder = NULL;
  return LS_OK;
}

static ls_status check_missing(const char *path)
{
  const char *name;
  char *folder;
  LS_PASS(find_folder(path, &folder, &name));
  const ls_status status = folder ? explain_missing(path, folder, name) : LS_OK;
  free(folder);
  return status;
}

/* ---- damaged files ---- */

/* The newest intact checkpoint beside a damaged one. An error while looking for it is no damage: no advice
 * then. */
static ls_status find_other(const char *damaged, char **found)
{
  const char *name;
  char *folder;
  *found = NULL;
  LS_PASS(find_folder(damaged, &folder, &name));
  ls_status status = LS_OK;
  if (folder && ls_checkpoint_examine(damaged) == LS_E_INPUT) status = find_newest(folder, found, NULL);
  free(folder);
  return status;
}

ls_status ls_checkpoint_advise(ls_status status, const char *path)
{
  if (status != LS_E_INPUT) return status;
  const ls_error first = *ls_error_last();
  char *other;
  const bool is_found = find_other(path, &other) == LS_OK && other;
  ls_error_install(&first);
  if (is_found)
    status = ls_fail(status, "%s; the newest intact checkpoint of this run is '%s'", first.text, other);
  free(other);
  return status;
}

ls_status ls_checkpoint_find(const char *path, char **found, ls_text *notes)
{
  const ls_file_kind kind = kind_of(path);
  *found = NULL;
  if (kind == LS_FILE_FOLDER) return find_in(path, found, notes);
  if (kind == LS_FILE_NONE) LS_PASS(check_missing(path));
  return ls_text_copy(found, path);
}
