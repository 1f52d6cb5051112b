/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks of what is stated. Names are read and checked by one rank, and sent as one text. */
#include "data/readers/stated.h"

#include <stdlib.h>
#include <string.h>

#include "base/files/file.h"
#include "base/memory.h"
#include "base/show.h"
#include "data/normalize.h"
#include "data/readers/reader.h"

static const size_t FILE_LIMIT_BYTES = (size_t)1 << 24;

/* Make line ends of other systems plain, and leave those at the end of the file out. */
static void trim(char *text, size_t length)
{
  size_t kept = 0;
  for (size_t i = 0; i < length; i++)
    if (text[i] != '\r') text[kept++] = text[i];
  while (kept > 0 && text[kept - 1] == '\n') kept--;
  text[kept] = '\0';
}

static ls_status check_lines(const char *text, size_t classes)
{
  size_t lines = 0;
  for (const char *line = text; line; lines++) {
    const char end = line[strspn(line, " \t")];
    if (end == '\n' || end == '\0')
      return ls_fail(LS_E_INPUT, "line %zu is empty: it is to name class %zu", lines + 1, lines);
    line = strchr(line, '\n');
    if (line) line++;
  }
  if (lines == classes) return LS_OK;
  return ls_fail(LS_E_INPUT, "%zu line%s, a name each, but there are %zu classes", lines, ls_plural(lines),
                 classes);
}

static ls_status read_names(char **names, const char *path, size_t classes)
{
  size_t length;
  LS_PASS(ls_file_read(path, FILE_LIMIT_BYTES, names, &length));
  ls_status status = LS_OK;
  if (strlen(*names) != length) status = ls_fail(LS_E_INPUT, "it holds a zero byte: not a text file");
  if (status == LS_OK) {
    trim(*names, length);
    status = check_lines(*names, classes);
  }
  if (status == LS_OK) return LS_OK;
  free(*names);
  *names = NULL;
  return ls_wrap(status, "data.class_names: '%s'", path);
}

ls_status ls_stated_names(char **names, ls_comm *comm, const ls_spec_data *data, size_t classes)
{
  const char *path = ls_spec_class_names(data);
  *names = NULL;
  if (!path) return LS_OK;
  if (!comm) return read_names(names, path, classes);
  LS_ROOT(comm, read_names(names, path, classes));
  return ls_comm_broadcast_text(comm, names);
}

ls_status ls_class_names_join(const ls_dataset_info *dataset, char **names)
{
  ls_text text = {0};
  *names = NULL;
  if (!dataset->class_names) return LS_OK;
  for (size_t k = 0; k < dataset->classes; k++)
    ls_text_add(&text, k ? "\n%s" : "%s", dataset->class_names[k]);
  return ls_text_take(&text, names);
}

/* The names into a new list. */
static ls_status list_names(char (*list)[LS_CLASS_NAME_BYTES], size_t classes, const char *names)
{
  for (size_t k = 0; k < classes; k++) {
    const size_t length = strcspn(names, "\n");
    if (length >= LS_CLASS_NAME_BYTES)
      return ls_fail(LS_E_INPUT,
                     "data.class_names: '%.*s' has %zu bytes; the names of a dataset have at most %d",
                     (int)length, names, length, LS_CLASS_NAME_BYTES - 1);
    memcpy(list[k], names, length);
    names += length + (names[length] == '\n');
  }
  return LS_OK;
}

ls_status ls_source_rename_classes(ls_source *source, const char *names)
{
  ls_dataset_info *info = &source->info;
  char(*list)[LS_CLASS_NAME_BYTES];
  LS_PASS(ls_alloc(&list, info->classes, sizeof *list, "the class names"));
  const ls_status status = list_names(list, info->classes, names);
  if (status != LS_OK) {
    free(list);
    return status;
  }
  free(info->class_names);
  info->class_names = list;
  return LS_OK;
}

/* ---- the dataset ---- */

static ls_status check_shape(const ls_spec_data *data, const ls_dataset_info *dataset)
{
  const size_t *stated = data->shape.items;
  if (data->shape.word >= 0 ||
      (stated[0] == dataset->channels && stated[1] == dataset->height && stated[2] == dataset->width))
    return LS_OK;
  ls_text remedy = {0};
  if (dataset->height != stated[1] || dataset->width != stated[2])
    ls_text_add(&remedy, " data.resize=[%zu,%zu]", stated[1], stated[2]);
  if (dataset->channels == 1 && stated[0] != 1) ls_text_add(&remedy, " data.channels=%zu", stated[0]);
  const bool can_be = dataset->channels == 1 || dataset->channels == stated[0];
  const ls_status status =
      ls_fail(LS_E_CONFIG, "data.shape: %zux%zux%zu, but the images of '%s' are %zux%zux%zu%s%s", stated[0],
              stated[1], stated[2], dataset->name, dataset->channels, dataset->height, dataset->width,
              can_be ? "; try:" : "", can_be ? ls_text_get(&remedy) : "");
  ls_text_fini(&remedy);
  return status;
}

static ls_status check(const ls_spec_data *data, const ls_dataset_info *dataset)
{
  LS_PASS(check_shape(data, dataset));
  LS_TRY(ls_normalization_check(data, dataset->channels), "dataset '%s'", dataset->name);
  return LS_OK;
}

ls_status ls_stated_apply(ls_source *source, ls_comm *comm, const ls_spec_data *data)
{
  char *names;
  LS_AGREE(comm, check(data, &source->info));
  LS_PASS(ls_stated_names(&names, comm, data, source->info.classes));
  const ls_status status = names ? ls_source_rename_classes(source, names) : LS_OK;
  free(names);
  return ls_comm_agree(comm, status);
}
