/* SPDX-License-Identifier: BSD-3-Clause */
/* Names against globs, as a shell matches them: a typing error must not leave a layer trained. */
#include "nn/freeze.h"

#include <fnmatch.h>

bool ls_freeze_has(const ls_text_list *list, const char *layer)
{
  for (size_t i = 0; list && i < list->count; i++)
    if (fnmatch(list->items[i], layer, 0) == 0) return true;
  return false;
}

/* A glob that looks for a layer. */
typedef struct search {
  const char *glob;
  bool found;
} search;

static void look(const ls_layer *layer, size_t depth, void *user)
{
  (void)depth;
  search *self = user;
  self->found |= fnmatch(self->glob, layer->name, 0) == 0;
}

ls_status ls_freeze_check(const ls_text_list *list, const ls_model *model)
{
  for (size_t i = 0; list && i < list->count; i++) {
    search self = {.glob = list->items[i]};
    ls_model_visit(model, look, &self);
    if (!self.found)
      return ls_fail(LS_E_CONFIG, "model.freeze: no layer is called '%s' (--dry-run shows the names)",
                     list->items[i]);
  }
  return LS_OK;
}
