/* SPDX-License-Identifier: BSD-3-Clause */
/* The stack machine: one row for each opcode. Opcodes are those of Python's pickletools, protocols 0 to 5. */
#include "store/foreign/pickle_machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/size.h"
#include "base/text.h"

enum { LINE_BYTES = 128 /* of a number that is written out */, NAME_BYTES = 256 };

typedef struct opcode {
  unsigned char code;
  ls_status (*run)(ls_machine *self, size_t number);
  size_t number; /* bytes of a length, members of a tuple, a class: as `run` takes it */
} opcode;

/* ---- values without members ---- */

static ls_status push_other(ls_machine *self, size_t bytes)
{
  const unsigned char *skipped;
  LS_PASS(ls_machine_take(self, bytes, &skipped));
  return ls_machine_push(self, (ls_pickle_value){.class = LS_PICKLE_OTHER});
}

static ls_status push_other_line(ls_machine *self, size_t unused)
{
  ls_bytes line = {NULL, 0};
  LS_PASS(ls_machine_take_line(self, &line));
  return push_other(self, unused);
}

static ls_status push_number(ls_machine *self, int64_t number)
{
  return ls_machine_push(self, (ls_pickle_value){.class = LS_PICKLE_NUMBER, .of.number = number});
}

static ls_status push_bool(ls_machine *self, size_t value)
{
  return push_number(self, (int64_t)value);
}

static ls_status push_unsigned(ls_machine *self, size_t bytes)
{
  uint64_t number = 0;
  LS_PASS(ls_machine_take_number(self, bytes, &number));
  return push_number(self, (int64_t)number);
}

static ls_status push_int32(ls_machine *self, size_t bytes)
{
  uint64_t number = 0;
  LS_PASS(ls_machine_take_number(self, bytes, &number));
  return push_number(self, (int32_t)(uint32_t)number);
}

/* A whole number with its length before it; one of more than 64 bits is none that is looked at. */
static ls_status push_long(ls_machine *self, size_t length_bytes)
{
  uint64_t length = 0, number = 0;
  LS_PASS(ls_machine_take_number(self, length_bytes, &length));
  if (length > sizeof number) return push_other(self, length);
  LS_PASS(ls_machine_take_number(self, length, &number));
  if (length > 0 && length < sizeof number && number >> (8 * length - 1))
    number |= UINT64_MAX << 8 * length; /* its sign */
  return push_number(self, (int64_t)number);
}

/* "12", "-12", "12L" */
static ls_status push_number_line(ls_machine *self, size_t unused)
{
  (void)unused;
  ls_bytes line = {NULL, 0};
  char text[LINE_BYTES];
  uint64_t number = 0;
  LS_PASS(ls_machine_take_line(self, &line));
  const bool is_negative = line.count > 0 && line.at[0] == '-';
  size_t length = line.count - is_negative;
  if (length > 0 && line.at[line.count - 1] == 'L') length--;
  if (length >= sizeof text) return push_other(self, 0);
  memcpy(text, line.at + is_negative, length);
  text[length] = '\0';
  if (!ls_parse_count(text, &number) || number > INT64_MAX) return push_other(self, 0);
  return push_number(self, is_negative ? -(int64_t)number : (int64_t)number);
}

static ls_status push_text(ls_machine *self, ls_bytes text)
{
  return ls_machine_push(self, (ls_pickle_value){.class = LS_PICKLE_TEXT, .of.text = text});
}

static ls_status push_counted_text(ls_machine *self, size_t length_bytes)
{
  uint64_t length = 0;
  ls_bytes text = {NULL, 0};
  LS_PASS(ls_machine_take_number(self, length_bytes, &length));
  LS_PASS(ls_machine_take(self, length, &text.at));
  text.count = length;
  return push_text(self, text);
}

/* Escapes stay as they are: no name of a tensor has one. */
static ls_status push_text_line(ls_machine *self, size_t is_quoted)
{
  ls_bytes line = {NULL, 0};
  LS_PASS(ls_machine_take_line(self, &line));
  if (is_quoted && line.count < 2) return ls_fail(LS_E_INPUT, "a text without its quotes");
  return push_text(self, (ls_bytes){line.at + is_quoted, line.count - 2 * is_quoted});
}

/* ---- the stack ---- */

static ls_status skip(ls_machine *self, size_t bytes)
{
  const unsigned char *skipped;
  return ls_machine_take(self, bytes, &skipped);
}

static ls_status mark(ls_machine *self, size_t unused)
{
  (void)unused;
  return ls_machine_set_mark(self);
}

static ls_status pop(ls_machine *self, size_t unused)
{
  (void)unused;
  if (self->mark_count > 0 && self->marks[self->mark_count - 1] == self->stack_count)
    return ls_machine_drop_mark(self, &unused); /* as Python does */
  LS_PASS(ls_machine_need(self, 1));
  self->stack_count--;
  return LS_OK;
}

static ls_status pop_to_mark(ls_machine *self, size_t unused)
{
  LS_PASS(ls_machine_drop_mark(self, &unused));
  self->stack_count -= unused;
  return LS_OK;
}

static ls_status duplicate(ls_machine *self, size_t unused)
{
  (void)unused;
  LS_PASS(ls_machine_need(self, 1));
  return ls_machine_push_again(self, ls_machine_peek(self, 0));
}

static ls_status stop(ls_machine *self, size_t unused)
{
  (void)unused;
  LS_PASS(ls_machine_need(self, 1));
  self->is_done = true;
  return LS_OK;
}

/* ---- lists and dicts ---- */

static ls_status push_empty(ls_machine *self, size_t class)
{
  return ls_machine_collect(self, (ls_pickle_class) class, 0);
}

static ls_status collect_few(ls_machine *self, size_t members)
{
  LS_PASS(ls_machine_need(self, members));
  return ls_machine_collect(self, LS_PICKLE_LIST, members);
}

static ls_status collect_to_mark(ls_machine *self, size_t class)
{
  size_t members = 0;
  LS_PASS(ls_machine_drop_mark(self, &members));
  return ls_machine_collect(self, (ls_pickle_class) class, members);
}

static ls_status add_one(ls_machine *self, size_t class)
{
  return ls_machine_extend(self, (ls_pickle_class) class, class == LS_PICKLE_DICT ? 2 : 1);
}

static ls_status extend_to_mark(ls_machine *self, size_t class)
{
  size_t members = 0;
  LS_PASS(ls_machine_drop_mark(self, &members));
  return ls_machine_extend(self, (ls_pickle_class) class, members);
}

/* ---- the memo ---- */

static ls_status put(ls_machine *self, size_t bytes)
{
  uint64_t place = 0;
  LS_PASS(ls_machine_take_number(self, bytes, &place));
  return ls_machine_store(self, place);
}

static ls_status get(ls_machine *self, size_t bytes)
{
  uint64_t place = 0;
  LS_PASS(ls_machine_take_number(self, bytes, &place));
  return ls_machine_fetch(self, place);
}

static ls_status put_next(ls_machine *self, size_t unused)
{
  (void)unused;
  return ls_machine_store(self, self->memo_count);
}

/* The place is written out. */
static ls_status take_place(ls_machine *self, uint64_t *place)
{
  LS_PASS(push_number_line(self, 0));
  const ls_pickle_value *written = ls_pickle_get(self->pickle, ls_machine_peek(self, 0));
  self->stack_count--;
  if (written->class != LS_PICKLE_NUMBER || written->of.number < 0)
    return ls_fail(LS_E_INPUT, "the place of a stored value is no number");
  *place = (uint64_t)written->of.number;
  return LS_OK;
}

static ls_status put_line(ls_machine *self, size_t unused)
{
  (void)unused;
  uint64_t place = 0;
  LS_PASS(take_place(self, &place));
  return ls_machine_store(self, place);
}

static ls_status get_line(ls_machine *self, size_t unused)
{
  (void)unused;
  uint64_t place = 0;
  LS_PASS(take_place(self, &place));
  return ls_machine_fetch(self, place);
}

/* ---- names and calls ---- */

static ls_status push_name(ls_machine *self, ls_bytes module, ls_bytes name)
{
  char whole[NAME_BYTES];
  const int length =
      snprintf(whole, sizeof whole, "%.*s.%.*s", (int)ls_size_min(module.count, NAME_BYTES),
               (const char *)module.at, (int)ls_size_min(name.count, NAME_BYTES), (const char *)name.at);
  const char *known = length > 0 && length < NAME_BYTES ? self->names(whole, (size_t)length) : NULL;
  if (!known)
    return ls_fail(LS_E_INPUT,
                   "it asks to run %s: nothing is run, and only files of tensors are read (in PyTorch: "
                   "torch.save(model.state_dict(), FILE))",
                   whole);
  const ls_bytes text = {(const unsigned char *)known, strlen(known)};
  return ls_machine_push(self, (ls_pickle_value){.class = LS_PICKLE_NAME, .of.text = text});
}

/* Two lines: module and name. */
static ls_status push_name_lines(ls_machine *self, size_t unused)
{
  (void)unused;
  ls_bytes module = {NULL, 0}, name = {NULL, 0};
  LS_PASS(ls_machine_take_line(self, &module));
  LS_PASS(ls_machine_take_line(self, &name));
  return push_name(self, module, name);
}

static ls_status push_name_of_stack(ls_machine *self, size_t unused)
{
  (void)unused;
  LS_PASS(ls_machine_need(self, 2));
  const ls_pickle_value *module = ls_pickle_get(self->pickle, ls_machine_peek(self, 1));
  const ls_pickle_value *name = ls_pickle_get(self->pickle, ls_machine_peek(self, 0));
  if (module->class != LS_PICKLE_TEXT || name->class != LS_PICKLE_TEXT)
    return ls_fail(LS_E_INPUT, "a module and its member are no texts");
  self->stack_count -= 2;
  return push_name(self, module->of.text, name->of.text);
}

/* A name and its arguments become a call, which nobody carries out. */
static ls_status note_call(ls_machine *self, size_t unused)
{
  (void)unused;
  LS_PASS(ls_machine_need(self, 2));
  const ls_pickle_index name = ls_machine_peek(self, 1), arguments = ls_machine_peek(self, 0);
  if (self->pickle->values[name].class != LS_PICKLE_NAME)
    return ls_fail(LS_E_INPUT, "it asks to run what is no function: nothing is run");
  self->stack_count -= 2;
  return ls_machine_push(self,
                         (ls_pickle_value){.class = LS_PICKLE_CALL, .name = name, .arguments = arguments});
}

static ls_status note_outside(ls_machine *self, size_t unused)
{
  (void)unused;
  LS_PASS(ls_machine_need(self, 1));
  const ls_pickle_index id = ls_machine_peek(self, 0);
  self->stack_count--;
  return ls_machine_push(self, (ls_pickle_value){.class = LS_PICKLE_OUTSIDE, .arguments = id});
}

/* Attributes of an object, such as _metadata of a state dict, are nothing that is read. */
static ls_status skip_state(ls_machine *self, size_t unused)
{
  LS_PASS(ls_machine_need(self, 2));
  return pop(self, unused);
}

/* Makes an object of a class that is named in two lines. */
static ls_status refuse_instance(ls_machine *self, size_t unused)
{
  LS_PASS(push_name_lines(self, unused));
  return ls_fail(LS_E_INPUT, "it asks to make an object of a class: nothing is run");
}

static ls_status refuse(ls_machine *self, size_t unused)
{
  (void)self, (void)unused;
  return ls_fail(LS_E_INPUT,
                 "it asks to make an object, or for what is registered elsewhere: nothing is run");
}

static const opcode opcodes[] = {
    {0x80, skip, 1},                         /* PROTO */
    {0x95, skip, 8},                         /* FRAME */
    {'(', mark, 0},                          /* MARK */
    {'.', stop, 0},                          /* STOP */
    {'0', pop, 0},                           /* POP */
    {'1', pop_to_mark, 0},                   /* POP_MARK */
    {'2', duplicate, 0},                     /* DUP */
    {'N', push_other, 0},                    /* NONE */
    {'F', push_other_line, 0},               /* FLOAT */
    {'G', push_other, 8},                    /* BINFLOAT */
    {0x88, push_bool, 1},                    /* NEWTRUE */
    {0x89, push_bool, 0},                    /* NEWFALSE */
    {'I', push_number_line, 0},              /* INT */
    {'L', push_number_line, 0},              /* LONG */
    {'J', push_int32, 4},                    /* BININT */
    {'K', push_unsigned, 1},                 /* BININT1 */
    {'M', push_unsigned, 2},                 /* BININT2 */
    {0x8A, push_long, 1},                    /* LONG1 */
    {0x8B, push_long, 4},                    /* LONG4 */
    {'S', push_text_line, 1},                /* STRING */
    {'V', push_text_line, 0},                /* UNICODE */
    {'T', push_counted_text, 4},             /* BINSTRING */
    {'U', push_counted_text, 1},             /* SHORT_BINSTRING */
    {'X', push_counted_text, 4},             /* BINUNICODE */
    {0x8C, push_counted_text, 1},            /* SHORT_BINUNICODE */
    {0x8D, push_counted_text, 8},            /* BINUNICODE8 */
    {'B', push_counted_text, 4},             /* BINBYTES */
    {'C', push_counted_text, 1},             /* SHORT_BINBYTES */
    {0x8E, push_counted_text, 8},            /* BINBYTES8 */
    {0x96, push_counted_text, 8},            /* BYTEARRAY8 */
    {')', push_empty, LS_PICKLE_LIST},       /* EMPTY_TUPLE */
    {']', push_empty, LS_PICKLE_LIST},       /* EMPTY_LIST */
    {'}', push_empty, LS_PICKLE_DICT},       /* EMPTY_DICT */
    {0x8F, push_empty, LS_PICKLE_LIST},      /* EMPTY_SET */
    {0x85, collect_few, 1},                  /* TUPLE1 */
    {0x86, collect_few, 2},                  /* TUPLE2 */
    {0x87, collect_few, 3},                  /* TUPLE3 */
    {'t', collect_to_mark, LS_PICKLE_LIST},  /* TUPLE */
    {'l', collect_to_mark, LS_PICKLE_LIST},  /* LIST */
    {'d', collect_to_mark, LS_PICKLE_DICT},  /* DICT */
    {0x91, collect_to_mark, LS_PICKLE_LIST}, /* FROZENSET */
    {'a', add_one, LS_PICKLE_LIST},          /* APPEND */
    {'e', extend_to_mark, LS_PICKLE_LIST},   /* APPENDS */
    {0x90, extend_to_mark, LS_PICKLE_LIST},  /* ADDITEMS */
    {'s', add_one, LS_PICKLE_DICT},          /* SETITEM */
    {'u', extend_to_mark, LS_PICKLE_DICT},   /* SETITEMS */
    {'p', put_line, 0},                      /* PUT */
    {'q', put, 1},                           /* BINPUT */
    {'r', put, 4},                           /* LONG_BINPUT */
    {0x94, put_next, 0},                     /* MEMOIZE */
    {'g', get_line, 0},                      /* GET */
    {'h', get, 1},                           /* BINGET */
    {'j', get, 4},                           /* LONG_BINGET */
    {'c', push_name_lines, 0},               /* GLOBAL */
    {0x93, push_name_of_stack, 0},           /* STACK_GLOBAL */
    {'R', note_call, 0},                     /* REDUCE */
    {0x81, note_call, 0},                    /* NEWOBJ */
    {'b', skip_state, 0},                    /* BUILD */
    {'Q', note_outside, 0},                  /* BINPERSID */
    {'i', refuse_instance, 0},               /* INST */
    {'o', refuse, 0},                        /* OBJ */
    {0x92, refuse, 0},                       /* NEWOBJ_EX */
    {0x82, refuse, 0},                       /* EXT1 */
    {0x83, refuse, 0},                       /* EXT2 */
    {0x84, refuse, 0},                       /* EXT4 */
};

ls_status ls_machine_step(ls_machine *self)
{
  const unsigned char *code = NULL;
  LS_PASS(ls_machine_take(self, 1, &code));
  for (size_t i = 0; i < sizeof opcodes / sizeof *opcodes; i++)
    if (opcodes[i].code == *code) return opcodes[i].run(self, opcodes[i].number);
  return ls_fail(LS_E_INPUT, "an opcode that is not read: 0x%02x", *code);
}
