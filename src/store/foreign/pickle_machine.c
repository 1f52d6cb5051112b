/* SPDX-License-Identifier: BSD-3-Clause */
/* The machine's memory. Values are numbered, and grow in arrays: a pickle of so many bytes cannot take more
 * than some dozen times as many. */
#include "store/foreign/pickle_machine.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 256 };

/* ---- memory ---- */

/* Make room for one more element. `array` is the address of a pointer. */
static ls_status make_room(void *array, size_t *room, size_t count, size_t bytes)
{
  void *old, *grown;
  if (count < *room) return LS_OK;
  if (count >= LS_PICKLE_VALUES_MAX)
    return ls_fail(LS_E_INPUT, "it has more than %d values", LS_PICKLE_VALUES_MAX);
  const size_t wanted = *room ? 2 * *room : FIRST_ROOM;
  memcpy(&old, array, sizeof old);
  grown = realloc(old, wanted * bytes);
  if (!grown) return ls_fail(LS_E_MEMORY, "no memory for a pickle of %zu values", count);
  memcpy(array, &grown, sizeof grown);
  *room = wanted;
  return LS_OK;
}

static ls_status make_value(ls_pickle *pickle, ls_pickle_value value, ls_pickle_index *index)
{
  LS_PASS(make_room(&pickle->values, &pickle->value_room, pickle->value_count, sizeof *pickle->values));
  *index = (ls_pickle_index)pickle->value_count;
  pickle->values[pickle->value_count++] = value;
  return LS_OK;
}

ls_status ls_machine_push_again(ls_machine *self, ls_pickle_index index)
{
  LS_PASS(make_room(&self->stack, &self->stack_room, self->stack_count, sizeof *self->stack));
  self->stack[self->stack_count++] = index;
  return LS_OK;
}

ls_status ls_machine_push(ls_machine *self, ls_pickle_value value)
{
  ls_pickle_index index = 0;
  LS_PASS(make_value(self->pickle, value, &index));
  return ls_machine_push_again(self, index);
}

/* Elements of the stack above the newest mark. */
static size_t height(const ls_machine *self)
{
  return self->stack_count - (self->mark_count > 0 ? self->marks[self->mark_count - 1] : 0);
}

ls_status ls_machine_need(const ls_machine *self, size_t count)
{
  return height(self) >= count ? LS_OK : ls_fail(LS_E_INPUT, "it takes a value from an empty stack");
}

/* The value `down` below the top, which ls_machine_need() has found there. */
ls_pickle_index ls_machine_peek(const ls_machine *self, size_t down)
{
  return self->stack[self->stack_count - 1 - down];
}

/* ---- bytes ---- */

ls_status ls_machine_take(ls_machine *self, size_t count, const unsigned char **bytes)
{
  if (count > self->in.count) return ls_fail(LS_E_INPUT, "it ends there: the file is cut off");
  *bytes = self->in.at;
  self->in.at += count;
  self->in.count -= count;
  return LS_OK;
}

/* Little-endian, of up to 8 bytes. */
ls_status ls_machine_take_number(ls_machine *self, size_t count, uint64_t *number)
{
  const unsigned char *bytes = NULL;
  LS_PASS(ls_machine_take(self, count, &bytes));
  *number = 0;
  for (size_t i = 0; i < count; i++) *number |= (uint64_t)bytes[i] << 8 * i;
  return LS_OK;
}

/* Up to the end of the line, without it. */
ls_status ls_machine_take_line(ls_machine *self, ls_bytes *line)
{
  const unsigned char *end = self->in.count > 0 ? memchr(self->in.at, '\n', self->in.count) : NULL;
  if (!end) return ls_fail(LS_E_INPUT, "it ends there: the file is cut off");
  *line = (ls_bytes){self->in.at, (size_t)(end - self->in.at)};
  self->in.count -= line->count + 1;
  self->in.at = end + 1;
  return LS_OK;
}

/* ---- marks and members ---- */

ls_status ls_machine_set_mark(ls_machine *self)
{
  LS_PASS(make_room(&self->marks, &self->mark_room, self->mark_count, sizeof *self->marks));
  self->marks[self->mark_count++] = self->stack_count;
  return LS_OK;
}

ls_status ls_machine_drop_mark(ls_machine *self, size_t *members)
{
  if (self->mark_count == 0) return ls_fail(LS_E_INPUT, "it looks for a mark that it has not set");
  *members = height(self);
  self->mark_count--;
  return LS_OK;
}

/* Append `members` values, the last ones of the stack, to a value that may have members, and drop them. */
static ls_status add_members(ls_machine *self, ls_pickle_index to, size_t members)
{
  ls_pickle *pickle = self->pickle;
  for (size_t i = members; i-- > 0;) {
    LS_PASS(make_room(&pickle->items, &pickle->item_room, pickle->item_count, sizeof *pickle->items));
    const ls_pickle_index item = (ls_pickle_index)pickle->item_count++;
    pickle->items[item] = (ls_pickle_item){.value = ls_machine_peek(self, i)};
    ls_pickle_value *value = &pickle->values[to];
    if (value->of.items.count++ == 0)
      value->of.items.first = item;
    else
      pickle->items[value->of.items.last].next = item;
    value->of.items.last = item;
  }
  self->stack_count -= members;
  return LS_OK;
}

static ls_status check_pairs(ls_pickle_class class, size_t members)
{
  if (class != LS_PICKLE_DICT || members % 2 == 0) return LS_OK;
  return ls_fail(LS_E_INPUT, "a dict has a key without a value");
}

/* A new list or dict of the last values of the stack. */
ls_status ls_machine_collect(ls_machine *self, ls_pickle_class class, size_t members)
{
  ls_pickle_index made = 0;
  LS_PASS(check_pairs(class, members));
  LS_PASS(make_value(self->pickle, (ls_pickle_value){.class = class}, &made));
  LS_PASS(add_members(self, made, members));
  return ls_machine_push_again(self, made);
}

/* Add the last values of the stack to the list or dict below them, or to what a call has made. */
ls_status ls_machine_extend(ls_machine *self, ls_pickle_class class, size_t members)
{
  LS_PASS(ls_machine_need(self, members + 1));
  LS_PASS(check_pairs(class, members));
  const ls_pickle_index to = ls_machine_peek(self, members);
  const ls_pickle_class found = self->pickle->values[to].class;
  if (found != class && found != LS_PICKLE_CALL)
    return ls_fail(LS_E_INPUT, "it adds members to a value that has none");
  return add_members(self, to, members);
}

/* ---- the memo ---- */

ls_status ls_machine_store(ls_machine *self, uint64_t place)
{
  LS_PASS(ls_machine_need(self, 1));
  if (place >= LS_PICKLE_VALUES_MAX)
    return ls_fail(LS_E_INPUT, "it remembers more than %d values", LS_PICKLE_VALUES_MAX);
  while (self->memo_count <= place) {
    LS_PASS(make_room(&self->memo, &self->memo_room, self->memo_count, sizeof *self->memo));
    self->memo[self->memo_count++] = 0;
  }
  self->memo[place] = ls_machine_peek(self, 0);
  return LS_OK;
}

ls_status ls_machine_fetch(ls_machine *self, uint64_t place)
{
  if (place >= self->memo_count || self->memo[place] == 0)
    return ls_fail(LS_E_INPUT, "it recalls value %" PRIu64 ", which it has not stored", place);
  return ls_machine_push_again(self, self->memo[place]);
}

/* ---- the whole ---- */

static ls_status run(ls_machine *self, ls_pickle_index *root)
{
  const size_t total = self->in.count;
  LS_PASS(make_value(self->pickle, (ls_pickle_value){.class = LS_PICKLE_OTHER}, root));
  LS_PASS(make_room(&self->pickle->items, &self->pickle->item_room, 0, sizeof *self->pickle->items));
  self->pickle->items[self->pickle->item_count++] = (ls_pickle_item){.value = 0};
  while (!self->is_done) {
    const size_t left = self->in.count;
    LS_TRY(ls_machine_step(self), "its pickle, byte %zu", total - left);
  }
  *root = ls_machine_peek(self, 0);
  return LS_OK;
}

ls_status ls_pickle_read(ls_pickle *pickle, ls_bytes *bytes, ls_pickle_names names, ls_pickle_index *root)
{
  ls_machine self = {.pickle = pickle, .in = *bytes, .names = names};
  *pickle = (ls_pickle){.value_count = 0};
  const ls_status status = run(&self, root);
  *bytes = self.in;
  free(self.stack);
  free(self.memo);
  free(self.marks);
  return status;
}

void ls_pickle_fini(ls_pickle *pickle)
{
  free(pickle->values);
  free(pickle->items);
  *pickle = (ls_pickle){.value_count = 0};
}

/* ---- what was read ---- */

ls_pickle_index ls_pickle_item_at(const ls_pickle *pickle, ls_pickle_index list, size_t place)
{
  const ls_pickle_value *value = ls_pickle_get(pickle, list);
  const bool has_items = value->class == LS_PICKLE_LIST || value->class == LS_PICKLE_DICT;
  if (!has_items || place >= value->of.items.count) return 0;
  ls_pickle_index item = value->of.items.first;
  while (place-- > 0) item = pickle->items[item].next;
  return pickle->items[item].value;
}

bool ls_pickle_is(const ls_pickle *pickle, ls_pickle_index index, ls_pickle_class class, const char *text)
{
  const ls_pickle_value *value = ls_pickle_get(pickle, index);
  if (value->class != class) return false;
  return value->of.text.count == strlen(text) && memcmp(value->of.text.at, text, value->of.text.count) == 0;
}
