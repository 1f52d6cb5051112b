/* SPDX-License-Identifier: BSD-3-Clause */
/* From the values of a pickle to tensors. */
#include "store/foreign/torch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/size.h"

enum { DEPTH_MAX = 12 /* dicts in dicts */ };

/* ---- names ---- */

/* Of what a call gives; dicts and tensors are looked into. */
static const char ORDERED_DICT[] = "collections.OrderedDict", TENSOR[] = "torch._utils._rebuild_tensor_v2",
                  OLD_TENSOR[] = "torch._utils._rebuild_tensor", SIZE[] = "torch.Size",
                  PARAMETER[] = "torch._utils._rebuild_parameter",
                  PARAMETER_WITH_STATE[] = "torch._utils._rebuild_parameter_with_state";

static const char *const known_names[] = {ORDERED_DICT,
                                          TENSOR,
                                          OLD_TENSOR,
                                          SIZE,
                                          PARAMETER,
                                          PARAMETER_WITH_STATE,
                                          "collections.Counter",
                                          "torch.device",
                                          "torch.float64",
                                          "torch.float32",
                                          "torch.float16",
                                          "torch.bfloat16",
                                          "torch.int64",
                                          "torch.int32",
                                          "torch.uint8",
                                          "torch.bool",
                                          NULL};

const char *ls_torch_names(const char *name, size_t length)
{
  for (const char *const *known = known_names; *known; known++)
    if (strlen(*known) == length && strncmp(*known, name, length) == 0) return *known;
  const ls_element *element = ls_element_of_torch(name, length);
  return element ? element->torch : NULL;
}

/* ---- tensors ---- */

static bool is_call(const ls_pickle *pickle, ls_pickle_index index, const char *name)
{
  const ls_pickle_value *value = ls_pickle_get(pickle, index);
  return value->class == LS_PICKLE_CALL && ls_pickle_is(pickle, value->name, LS_PICKLE_NAME, name);
}

static bool is_tensor(const ls_pickle *pickle, ls_pickle_index index)
{
  return is_call(pickle, index, TENSOR) || is_call(pickle, index, OLD_TENSOR);
}

/* What a call was given. */
static ls_pickle_index argument(const ls_pickle *pickle, ls_pickle_index call, size_t place)
{
  return ls_pickle_item_at(pickle, ls_pickle_get(pickle, call)->arguments, place);
}

static ls_status get_size(const ls_pickle *pickle, ls_pickle_index index, const char *what, size_t *size)
{
  const ls_pickle_value *value = ls_pickle_get(pickle, index);
  if (value->class != LS_PICKLE_NUMBER) return ls_fail(LS_E_INPUT, "its %s is no whole number", what);
  if (value->of.number < 0)
    return ls_fail(LS_E_INPUT, "its %s is %" PRId64 ", below 0", what, value->of.number);
  *size = (size_t)value->of.number;
  return LS_OK;
}

static ls_status get_sizes(const ls_pickle *pickle, ls_pickle_index index, const char *what, size_t *sizes,
                           size_t *count)
{
  if (is_call(pickle, index, SIZE)) index = argument(pickle, index, 0);
  const ls_pickle_value *list = ls_pickle_get(pickle, index);
  if (list->class != LS_PICKLE_LIST || list->of.items.count > LS_FOREIGN_MAX_RANK)
    return ls_fail(LS_E_INPUT, "its %s is no list of up to %d numbers", what, LS_FOREIGN_MAX_RANK);
  *count = list->of.items.count;
  for (size_t i = 0; i < *count; i++)
    LS_PASS(get_size(pickle, ls_pickle_item_at(pickle, index, i), what, &sizes[i]));
  return LS_OK;
}

/* ("storage", type, key, device, elements), and in older files the part that a view is: (key, first,
 * elements) */
ls_status ls_torch_storage_of(const ls_pickle *pickle, ls_pickle_index value, ls_torch_storage *storage)
{
  const ls_pickle_index id = ls_pickle_get(pickle, value)->arguments;
  const ls_pickle_value *type = ls_pickle_get(pickle, ls_pickle_item_at(pickle, id, 1));
  const ls_pickle_value *key = ls_pickle_get(pickle, ls_pickle_item_at(pickle, id, 2));
  const ls_pickle_index view = ls_pickle_item_at(pickle, id, 5);
  *storage = (ls_torch_storage){.first = 0};
  if (ls_pickle_get(pickle, value)->class == LS_PICKLE_OUTSIDE && type->class == LS_PICKLE_NAME &&
      key->class == LS_PICKLE_TEXT)
    storage->element = ls_element_of_torch((const char *)type->of.text.at, type->of.text.count);
  if (!storage->element) return ls_fail(LS_E_INPUT, "its storage is none of PyTorch's");
  storage->key = key->of.text;
  if (ls_pickle_get(pickle, view)->class == LS_PICKLE_LIST)
    LS_PASS(get_size(pickle, ls_pickle_item_at(pickle, view, 1), "view's first element", &storage->first));
  return LS_OK;
}

/* A tensor whose numbers are wanted. */
typedef struct found {
  ls_torch *torch;
  ls_layout layout;
  ls_bytes key;
} found;

/* (storage, first element, shape, strides, ...) */
static ls_status decode(const ls_pickle *pickle, ls_pickle_index call, found *tensor)
{
  ls_torch_storage storage;
  ls_layout *layout = &tensor->layout;
  size_t strides;
  LS_PASS(ls_torch_storage_of(pickle, argument(pickle, call, 0), &storage));
  LS_PASS(get_size(pickle, argument(pickle, call, 1), "first element", &layout->offset));
  LS_PASS(get_sizes(pickle, argument(pickle, call, 2), "shape", layout->dims, &layout->dim_count));
  LS_PASS(get_sizes(pickle, argument(pickle, call, 3), "strides", layout->strides, &strides));
  if (strides != layout->dim_count)
    return ls_fail(LS_E_INPUT, "it has %zu dimensions and %zu strides", layout->dim_count, strides);
  if (!ls_size_add(layout->offset, storage.first, &layout->offset))
    return ls_fail(LS_E_INPUT, "its first element is beyond all storages");
  layout->element = storage.element;
  tensor->key = storage.key;
  return LS_OK;
}

static ls_status read_tensor(const ls_foreign_tensor *tensor, float *values)
{
  const found *self = tensor->source;
  ls_bytes storage;
  LS_TRY(self->torch->find(self->torch, self->key, &storage), "tensor %s", tensor->place);
  LS_TRY(ls_layout_read(&self->layout, storage, values), "tensor %s", tensor->place);
  return LS_OK;
}

static ls_status offer_tensor(ls_torch *self, ls_pickle_index call, const char *name)
{
  found tensor = {.torch = self};
  LS_TRY(decode(&self->pickle, call, &tensor), "tensor %s", name);
  const ls_foreign_tensor how = {.read = read_tensor, .source = &tensor};
  return ls_foreign_offer(self->file, self->visitor, name, &tensor.layout, &how);
}

/* ---- dicts ---- */

typedef struct place {
  char name[LS_FOREIGN_NAME_BYTES]; /* a longer one is cut: it is none of a model's */
  size_t length, depth;
} place;

static ls_status offer_value(ls_torch *self, ls_pickle_index index, place *at);

/* The name of a member: of a dict its key, of a list its number. */
static size_t add_name(const ls_pickle *pickle, place *at, ls_pickle_index key, size_t number)
{
  const size_t before = at->length, room = sizeof at->name - before;
  const ls_pickle_value *value = ls_pickle_get(pickle, key);
  const char *joint = before > 0 ? "/" : "";
  int added;
  if (value->class == LS_PICKLE_TEXT)
    added = snprintf(at->name + before, room, "%s%.*s", joint, (int)ls_size_min(value->of.text.count, room),
                     (const char *)value->of.text.at);
  else if (value->class == LS_PICKLE_NUMBER)
    added = snprintf(at->name + before, room, "%s%" PRId64, joint, value->of.number);
  else
    added = snprintf(at->name + before, room, "%s%zu", joint, number);
  at->length = ls_size_min(before + (size_t)(added > 0 ? added : 0), sizeof at->name - 1);
  return before;
}

static ls_status offer_members(ls_torch *self, ls_pickle_value *owner, bool has_keys, place *at)
{
  const ls_pickle *pickle = &self->pickle;
  ls_pickle_index key = 0;
  if (at->depth == DEPTH_MAX || owner->was_seen) return LS_OK; /* a dict may hold itself */
  owner->was_seen = true;
  at->depth++;
  ls_pickle_index item = owner->of.items.first;
  for (size_t i = 0; i < owner->of.items.count; i++, item = pickle->items[item].next) {
    const ls_pickle_index member = pickle->items[item].value;
    if (has_keys && i % 2 == 0) {
      key = member;
      continue;
    }
    const size_t before = add_name(pickle, at, key, i);
    LS_PASS(offer_value(self, member, at));
    at->name[at->length = before] = '\0';
  }
  at->depth--;
  return LS_OK;
}

static ls_status offer_value(ls_torch *self, ls_pickle_index index, place *at)
{
  const ls_pickle *pickle = &self->pickle;
  ls_pickle_value *value = &self->pickle.values[index];
  if (is_call(pickle, index, PARAMETER) || is_call(pickle, index, PARAMETER_WITH_STATE))
    index = argument(pickle, index, 0);
  if (is_tensor(pickle, index)) return offer_tensor(self, index, at->name);
  if (value->class == LS_PICKLE_DICT || is_call(pickle, index, ORDERED_DICT))
    return offer_members(self, value, true, at);
  return value->class == LS_PICKLE_LIST ? offer_members(self, value, false, at) : LS_OK;
}

ls_status ls_torch_offer(ls_torch *self, ls_pickle_index root)
{
  place at = {.length = 0};
  return offer_value(self, root, &at);
}
