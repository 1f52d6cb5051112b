/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of the model and of the file are brought to one plain form and compared. Tables hold the words that
 * differ. */
#include "store/foreign_names.h"

#include <stdio.h>
#include <string.h>

#include "h5/h5.h"

static const char SHORTCUT[] = "shortcut";
static const char *const shortcut_words[] = {"downsample", "skip", "proj", "projection", NULL};

/* Prefixes that wrap a network: DataParallel, torch.compile, Lightning, averages, and the keys of what is
 * saved with an optimizer. */
static const char *const wrapper_words[] = {
    "module",         "_orig_mod",      "model",       "net",
    "network",        "backbone",       "encoder",     "state_dict",
    "params",         "weights",        "ema",         "model_ema",
    "ema_model",      "averaged_model", "model_state", "model_state_dict",
    "ema_state_dict", "state_dict_ema", NULL};

static const char *const counter_words[] = {"num_batches_tracked", "n_averaged", NULL};

static bool is_among(const char *const *words, const char *text, size_t length)
{
  for (; *words; words++)
    if (strlen(*words) == length && strncmp(*words, text, length) == 0) return true;
  return false;
}

/* The plain form has one word for a shortcut, if the tensor may be in one. A name longer than any of the
 * model's is cut. */
static void make_plain(const char *name, bool has_shortcut, char plain[LS_PLAIN_NAME_BYTES])
{
  size_t used = 0;
  plain[0] = '\0';
  for (const char *part = name; used < LS_PLAIN_NAME_BYTES; part++) {
    const size_t length = strcspn(part, "./_-");
    const bool is_shortcut = has_shortcut && is_among(shortcut_words, part, length);
    const int chars = (int)(is_shortcut ? strlen(SHORTCUT) : length);
    used += (size_t)snprintf(plain + used, LS_PLAIN_NAME_BYTES - used, "%s%.*s", part > name ? "." : "",
                             chars, is_shortcut ? SHORTCUT : part);
    part += length;
    if (*part == '\0') break;
  }
}

/* ---- names of a model ---- */

/* Characters of the layer's path up to the shortcut that it is in, "layer2_0.shortcut"; 0: it is in none. */
static size_t shortcut_chars(const char *layer)
{
  const char *last = strrchr(layer, '.');
  const size_t chars = last ? (size_t)(last - layer) : 0;
  const size_t word = strlen(SHORTCUT);
  const bool is_inside = chars > word && strncmp(layer + chars - word, SHORTCUT, word) == 0;
  return is_inside && layer[chars - word - 1] == '.' ? chars : 0;
}

typedef struct numbering {
  ls_tensor_names *names;
  size_t count;
  const char *before; /* the layer that was met last */
  size_t number;      /* of it in its shortcut, from 0 */
} numbering;

/* Visitor: number the layers of a shortcut as they come. */
static void name_by_number(const ls_layer *layer, size_t depth, void *user)
{
  (void)depth;
  numbering *self = user;
  const size_t chars = shortcut_chars(layer->name);
  if (chars == 0) return; /* also where it is in a block within the shortcut, which has the number */
  const bool goes_on = self->before && strncmp(self->before, layer->name, chars + 1) == 0;
  self->number = goes_on ? self->number + 1 : 0;
  self->before = layer->name;
  for (size_t i = 0; i < self->count; i++) {
    char name[LS_PLAIN_NAME_BYTES];
    const ls_tensor *tensor = self->names[i].tensor;
    if (strcmp(tensor->layer, layer->name) != 0) continue;
    snprintf(name, sizeof name, "%.*s.%zu.%s", (int)chars, layer->name, self->number, tensor->name);
    make_plain(name, true, self->names[i].numbered);
  }
}

/* Is the tensor's layer the only one of its shortcut? */
static bool is_alone(const ls_tensor_names *names, size_t count, const char *layer, size_t chars)
{
  for (size_t i = 0; i < count; i++) {
    const char *other = names[i].tensor->layer;
    if (strncmp(other, layer, chars + 1) == 0 && strcmp(other, layer) != 0) return false;
  }
  return chars > 0;
}

static void name_tensor(ls_tensor_names *names, const ls_tensor *tensor)
{
  char name[LS_PLAIN_NAME_BYTES];
  *names = (ls_tensor_names){.tensor = tensor};
  snprintf(name, sizeof name, "%s.%s", tensor->layer, tensor->name);
  make_plain(name, shortcut_chars(tensor->layer) > 0, names->own);
}

void ls_tensor_names_fill(ls_tensor_names *names, const ls_model *model)
{
  size_t param_count, buffer_count;
  const ls_tensor *params = ls_model_params(model, &param_count);
  const ls_tensor *buffers = ls_model_buffers(model, &buffer_count);
  const size_t count = param_count + buffer_count;
  for (size_t i = 0; i < count; i++)
    name_tensor(&names[i], i < param_count ? &params[i] : &buffers[i - param_count]);
  ls_model_visit(model, name_by_number, &(numbering){.names = names, .count = count});
  for (size_t i = 0; i < count; i++) {
    char name[LS_PLAIN_NAME_BYTES];
    const ls_tensor *tensor = names[i].tensor;
    const size_t chars = shortcut_chars(tensor->layer);
    if (!is_alone(names, count, tensor->layer, chars)) continue;
    snprintf(name, sizeof name, "%.*s.%s", (int)chars, tensor->layer, tensor->name);
    make_plain(name, true, names[i].alone);
  }
}

/* ---- names in a file ---- */

/* A name as it is, and what it becomes for tensors outside of shortcuts and in them. */
typedef struct foreign_name {
  const char *text;
  char plain[LS_PLAIN_NAME_BYTES], shortcut[LS_PLAIN_NAME_BYTES];
} foreign_name;

static bool is_exact(const ls_tensor_names *names, const foreign_name *name)
{
  const ls_tensor *tensor = names->tensor;
  const size_t layer = strlen(tensor->layer);
  return strncmp(name->text, tensor->layer, layer) == 0 &&
         (name->text[layer] == '.' || name->text[layer] == '/') &&
         strcmp(name->text + layer + 1, tensor->name) == 0;
}

static bool is_own(const ls_tensor_names *names, const foreign_name *name)
{
  return strcmp(names->own, shortcut_chars(names->tensor->layer) > 0 ? name->shortcut : name->plain) == 0;
}

/* Only tensors in a shortcut have these names. */
static bool is_shortcut_name(const ls_tensor_names *names, const foreign_name *name)
{
  return strcmp(names->numbered, name->shortcut) == 0 || strcmp(names->alone, name->shortcut) == 0;
}

/* The tensor of the whole name; `count`: none. */
static size_t find_whole(const ls_tensor_names *names, size_t count, const char *text)
{
  static bool (*const ways[])(const ls_tensor_names *, const foreign_name *) = {is_exact, is_own,
                                                                                is_shortcut_name};
  foreign_name name = {.text = text};
  make_plain(text, false, name.plain);
  make_plain(text, true, name.shortcut);
  for (size_t way = 0; way < sizeof ways / sizeof *ways; way++)
    for (size_t i = 0; i < count; i++)
      if (ways[way](&names[i], &name)) return i;
  return count;
}

size_t ls_tensor_names_find(const ls_tensor_names *names, size_t count, const ls_renames *renames,
                            const char *name)
{
  for (;;) {
    char renamed[LS_H5_PATH_BYTES];
    ls_renames_apply(renames, name, renamed, sizeof renamed);
    const size_t found = find_whole(names, count, renamed), length = strcspn(name, "./");
    if (found < count || name[length] == '\0' || !is_among(wrapper_words, name, length)) return found;
    name += length + 1;
  }
}

bool ls_tensor_names_is_counter(const char *name)
{
  const char *last = name + strlen(name);
  while (last > name && last[-1] != '.' && last[-1] != '/') last--;
  return is_among(counter_words, last, strlen(last));
}
