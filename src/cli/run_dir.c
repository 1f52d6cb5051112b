/* SPDX-License-Identifier: BSD-3-Clause */
/* A run directory is never written into by accident: only a new one, or with --resume the old one. A run's
 * configuration is that of its checkpoint, from which it goes on; before the first there is config.yaml. */
#include "cli/run_dir.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "base/files/file.h"
#include "base/files/directory.h"
#include "base/memory.h"
#include "base/show.h"
#include "base/size.h"
#include "base/text.h"
#include "cli/print.h"
#include "store/checkpoint.h"

enum { CONFIG_LIMIT_BYTES = 1 << 20 };

static bool is_of_a_run(const char *name)
{
  static const char *const patterns[] = {"config.yaml", "best.h5", "checkpoint-*.h5", "summary.json"};
  for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
    if (fnmatch(patterns[i], name, 0) == 0) return true;
  return false;
}

static bool is_checkpoint(const char *name)
{
  return fnmatch("checkpoint-*.h5", name, 0) == 0;
}

static ls_status holds(const ls_directory *directory, bool (*is_such)(const char *name), bool *any)
{
  ls_names names;
  *any = false;
  LS_PASS(ls_directory_list(directory, &names));
  for (size_t i = 0; i < names.count; i++) *any |= is_such(names.items[i]);
  ls_names_fini(&names);
  return LS_OK;
}

ls_status ls_run_dir_has_checkpoint(const ls_directory *directory, bool *has)
{
  return holds(directory, is_checkpoint, has);
}

/* Make runs/NAME, or the first of runs/NAME-2, -3 ... that does not exist: mkdir() decides, so that two jobs
 * that start together get two folders. */
static ls_status claim(char **out, const char *name)
{
  LS_PASS(ls_folder_make("runs"));
  for (size_t number = 1;; number++) {
    ls_text path = {0};
    ls_text_add(&path, "runs/%s", name);
    if (number > 1) ls_text_add(&path, "-%zu", number);
    LS_PASS(ls_text_take(&path, out));
    int failed;
    LS_RETRY(failed, mkdir(*out, 0777));
    if (!failed) return LS_OK;
    if (errno != EEXIST) return ls_fail(LS_E_IO, "cannot make folder '%s': %s", *out, strerror(errno));
    free(*out);
    *out = NULL;
  }
}

static ls_status resume_default(char **out, const char *name)
{
  ls_text path = {0};
  ls_text_add(&path, "runs/%s", name);
  return ls_text_take(&path, out);
}

/* A run goes on in its folder: a file in it is easily given instead. */
static ls_status check_resumable(const char *path)
{
  ls_file_kind kind;
  LS_PASS(ls_file_look(&kind, path));
  if (kind != LS_FILE_REGULAR) return LS_OK;
  const char *slash = strrchr(path, '/');
  ls_text folder = {0}, word = {0};
  ls_text_add(&folder, "%.*s", slash ? (int)ls_size_max((size_t)(slash - path), 1) : 1, slash ? path : ".");
  ls_text_show_word(&word, ls_text_get(&folder));
  const ls_status status = ls_fail(
      LS_E_INPUT, "'%s' is a file, and no run directory; to go on with the run that it is of: --resume -o %s",
      path, ls_text_get(&word));
  ls_text_fini(&folder);
  ls_text_fini(&word);
  return status;
}

/* Open the requested folder, made if it is missing. */
static ls_status open_requested(ls_directory *out, const ls_run_dir_options *options)
{
  char *path = NULL;
  bool moved;
  if (options->parent) {
    LS_PASS(ls_directory_follow(options->parent, &moved));
    return ls_directory_open_in(out, options->parent, options->path);
  }
  ls_status status;
  if (!options->path && !options->resume)
    LS_GO(claim(&path, options->run_name));
  else
    LS_GO(options->path ? ls_text_copy(&path, options->path) : resume_default(&path, options->run_name));
  if (options->resume) LS_GO(check_resumable(path));
  LS_GO(ls_folder_make(path));
  status = ls_directory_open(out, path);
done:
  free(path);
  return status;
}

/* Only one run at a time writes there. Some file systems have no locks: only EWOULDBLOCK means that another
 * process holds one. */
static ls_status lock(const ls_directory *directory, bool is_reported)
{
  int failed;
  LS_RETRY(failed, LS_SYSTEM("lock", flock(directory->descriptor, LOCK_EX | LOCK_NB)));
  if (!failed) return LS_OK;
  if (errno == EWOULDBLOCK)
    return ls_fail(LS_E_USAGE,
                   "run directory '%s' is in use by another run; wait for its end, or give another -o",
                   directory->path);
  if (is_reported)
    ls_warn("run directory '%s' cannot be locked (%s): take care that no other run writes there",
            directory->path, strerror(errno));
  return LS_OK;
}

/* May this run write there? */
static ls_status take(const ls_directory *directory, const ls_run_dir_options *options)
{
  bool any;
  LS_PASS(lock(directory, options->parent == NULL));
  if (!options->path || options->resume || options->is_claimed) return LS_OK;
  LS_PASS(holds(directory, is_of_a_run, &any));
  if (!any) return LS_OK;
  return ls_fail(LS_E_USAGE,
                 "run directory '%s' already holds a run; --resume goes on with it, another -o starts anew",
                 directory->path);
}

ls_status ls_run_dir_prepare(ls_directory *out, const ls_run_dir_options *options)
{
  *out = (ls_directory){.descriptor = -1};
  if (options->path && options->path[0] == '\0')
    return ls_fail(LS_E_USAGE, "-o: an empty text is no name of a folder");
  LS_TRY(open_requested(out, options), "run directory");
  const ls_status status = take(out, options);
  if (status != LS_OK) ls_directory_close(out);
  return status;
}

/* ---- the configuration in it ---- */

/* The newest intact checkpoint's; *source stays NULL if there is none. */
static ls_status read_from_checkpoint(const ls_directory *directory, char **text, char **source)
{
  ls_checkpoint_info info = {.config = NULL};
  ls_text damaged = {0}; /* reported when the run goes on */
  ls_status status = ls_checkpoint_newest(directory, source, &damaged);
  ls_text_fini(&damaged);
  if (status == LS_OK && *source) status = ls_checkpoint_read_info(*source, &info);
  *text = info.config;
  info.config = NULL;
  ls_checkpoint_info_fini(&info);
  return status;
}

/* A run directory instead of a configuration is easily meant: the message names the remedy. */
static ls_status check_no_run(const char *path)
{
  ls_text text = {0};
  char *inside;
  ls_file_kind kind;
  ls_text_add(&text, "%s/config.yaml", path);
  LS_PASS(ls_text_take(&text, &inside));
  const ls_status status = ls_file_look(&kind, inside);
  free(inside);
  if (status != LS_OK || kind == LS_FILE_NONE) return status;
  ls_text_show_word(&text, path);
  const ls_status refused = ls_fail(LS_E_INPUT,
                                    "'%s' is a run directory, and no configuration; to go on with the run: "
                                    "lockstep train --resume -o %s",
                                    path, ls_text_get(&text));
  ls_text_fini(&text);
  return refused;
}

ls_status ls_config_file_read(const char *path, char **text)
{
  size_t length;
  LS_PASS(check_no_run(path));
  LS_PASS(ls_file_read(path, CONFIG_LIMIT_BYTES, text, &length));
  if (strlen(*text) == length) return LS_OK;
  free(*text);
  *text = NULL;
  return ls_fail(LS_E_CONFIG, "%s: it holds a zero byte: not a text file", path);
}

/* The text of config.yaml and its path; both NULL if it is not there. */
static ls_status read_from_file(const ls_directory *directory, char **text, char **source)
{
  bool found;
  LS_PASS(ls_directory_find(directory, "config.yaml", &found));
  if (!found) return LS_OK;
  LS_PASS(ls_directory_path(directory, "config.yaml", source));
  return ls_config_file_read(*source, text);
}

static void note_other(ls_text *notes, const char *path, const char *source, const char *other)
{
  ls_text_show(notes,
               "the configuration in '%s' is taken, config.yaml beside it is another one (lockstep train ",
               source);
  ls_text_show_word(notes, other);
  ls_text_add(notes, " -o ");
  ls_text_show_word(notes, path);
  ls_text_add(notes, " --resume takes that)\n");
}

static ls_status read_config(const ls_directory *directory, char **text, char **source, ls_text *notes)
{
  char *file = NULL, *file_source = NULL;
  ls_status status;
  LS_GO(read_from_checkpoint(directory, text, source));
  LS_GO(read_from_file(directory, &file, &file_source));
  if (*text && file && strcmp(*text, file) != 0) note_other(notes, directory->path, *source, file_source);
  if (*text) goto done;
  *text = file;
  *source = file_source;
  file = file_source = NULL;
done:
  free(file);
  free(file_source);
  return status;
}

/* A link whose folder has been moved is no run that is yet to begin. */
static ls_status check_no_link(const char *path)
{
  ls_directory directory;
  struct stat info;
  if (lstat(path, &info) != 0 || !S_ISLNK(info.st_mode)) return LS_OK;
  LS_PASS(ls_directory_open(&directory, path));
  ls_directory_close(&directory);
  return LS_OK;
}

ls_status ls_run_dir_config(const char *path, char **text, char **source, ls_text *notes)
{
  ls_directory directory;
  ls_file_kind kind;
  *text = *source = NULL;
  LS_PASS(check_resumable(path));
  LS_PASS(ls_file_look(&kind, path));
  if (kind == LS_FILE_NONE) return check_no_link(path);
  LS_PASS(ls_directory_open(&directory, path));
  const ls_status status = read_config(&directory, text, source, notes);
  ls_directory_close(&directory);
  return status;
}
