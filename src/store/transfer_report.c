/* SPDX-License-Identifier: BSD-3-Clause */
/* The report on weights that were taken from another network. */
#include "store/transfer_internal.h"

#include <stdio.h>
#include <string.h>

#include "base/show.h"

enum { LAYERS_SHOWN = 4 }; /* of a warning */

void ls_name_list_add(ls_name_list *list, const char *head, size_t most, const char *name)
{
  if (list->count < most) ls_text_show(&list->text, "%s%s", list->count == 0 ? head : ", ", name);
  if (list->count++ == most) ls_text_add(&list->text, ", ...");
}

void ls_name_list_clear(ls_name_list *list)
{
  ls_text_fini(&list->text);
  list->count = 0;
}

/* End a line of names, if there are any. */
static void add_names(const ls_name_list *names, const char *end, ls_text *out)
{
  if (names->count == 0) return;
  ls_text_add(out, "%s", ls_text_get(&names->text));
  if (names->count > LS_NAMES_SHOWN) ls_text_add(out, " (%zu in all)", names->count);
  ls_text_add(out, "%s", end);
  out->failed |= names->text.failed;
}

void ls_transfer_list(const ls_transfer *self, ls_fate which, const char *word, const char *end,
                      ls_text *report)
{
  ls_name_list names = {.count = 0};
  for (size_t i = 0; i < self->count; i++) {
    char name[LS_LAYER_NAME_BYTES + LS_TENSOR_NAME_BYTES + 1];
    const ls_tensor *tensor = self->targets[i].tensor;
    if (self->targets[i].fate != which) continue;
    snprintf(name, sizeof name, "%s.%s", tensor->layer, tensor->name);
    ls_name_list_add(&names, word, LS_NAMES_SHOWN, name);
  }
  add_names(&names, end, report);
  ls_name_list_clear(&names);
}

void ls_transfer_describe(const ls_transfer *self, const char *path, ls_text *report)
{
  ls_text_show(report, "weights from %s\n", path);
  ls_transfer_list(self, LS_LOADED, "  loaded: ", "\n", report);
  ls_transfer_list(self, LS_ADAPTED, "  adapted to the image's channels: ", "\n", report);
  ls_transfer_list(self, LS_INITIALIZED, "  initialized: ", "\n", report);
  if (self->skipped.count > 0) ls_text_add(report, "  skipped: ");
  add_names(&self->skipped, "\n", report);
}

/* Is this the first tensor of its layer that the file does not have? */
static bool is_first_lack(const ls_transfer *self, size_t i)
{
  const char *layer = self->targets[i].tensor->layer;
  if (self->targets[i].fate != LS_INITIALIZED) return false;
  for (size_t before = 0; before < i; before++)
    if (self->targets[before].fate == LS_INITIALIZED &&
        strcmp(self->targets[before].tensor->layer, layer) == 0)
      return false;
  return true;
}

void ls_transfer_warn(const ls_transfer *self, const char *path, ls_text *warning)
{
  ls_name_list layers = {.count = 0};
  for (size_t i = 0; i < self->count; i++) {
    const char *layer = self->targets[i].tensor->layer;
    if (is_first_lack(self, i) && strcmp(layer, self->head) != 0)
      ls_name_list_add(&layers, "", LAYERS_SHOWN, layer);
  }
  if (layers.count > 0)
    ls_text_show(warning,
                 "model.init_from: '%s' lacks tensors of %zu layer%s, which start%s as initialized: ", path,
                 layers.count, ls_plural(layers.count), layers.count == 1 ? "s" : "");
  ls_text_add(warning, "%s%s", ls_text_get(&layers.text), layers.count > 0 ? "\n" : "");
  warning->failed |= layers.text.failed;
  ls_name_list_clear(&layers);
}
