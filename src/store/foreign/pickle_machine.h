/* SPDX-License-Identifier: BSD-3-Clause */
/* The stack machine that a pickle is a program for: its memory, and what its opcodes are made of. Private to
 * pickle*.c. */
#ifndef LS_STORE_FOREIGN_PICKLE_MACHINE_H
#define LS_STORE_FOREIGN_PICKLE_MACHINE_H

#include "store/foreign/pickle.h"

enum { LS_PICKLE_VALUES_MAX = 1 << 22 /* some thirty for a tensor */ };

typedef struct ls_machine {
  ls_pickle *pickle;
  ls_bytes in; /* what is left */
  ls_pickle_names names;
  ls_pickle_index *stack, *memo; /* [stack_count], [memo_count]; owned */
  size_t *marks;                 /* [mark_count] heights of the stack; owned */
  size_t stack_count, stack_room, memo_count, memo_room, mark_count, mark_room;
  bool is_done;
} ls_machine;

/** Run the opcode that comes next. Errors: as ls_pickle_read(), and so do all others. */
ls_status ls_machine_step(ls_machine *self) LS_CHECKED;

/* ---- bytes ---- */

ls_status ls_machine_take(ls_machine *self, size_t count, const unsigned char **bytes) LS_CHECKED;

/** Little-endian, of up to 8 bytes. */
ls_status ls_machine_take_number(ls_machine *self, size_t bytes, uint64_t *number) LS_CHECKED;

/** Up to the end of the line, without it. */
ls_status ls_machine_take_line(ls_machine *self, ls_bytes *line) LS_CHECKED;

/* ---- values ---- */

ls_status ls_machine_push(ls_machine *self, ls_pickle_value value) LS_CHECKED;

/** Push a value that is there already. */
ls_status ls_machine_push_again(ls_machine *self, ls_pickle_index index) LS_CHECKED;

/** Are there so many values above the newest mark? */
ls_status ls_machine_need(const ls_machine *self, size_t count) LS_CHECKED;

/** The value `down` below the top, which ls_machine_need() has found there. */
ls_pickle_index ls_machine_peek(const ls_machine *self, size_t down);

ls_status ls_machine_set_mark(ls_machine *self) LS_CHECKED;

/** Forget the newest mark; how many values are above it? */
ls_status ls_machine_drop_mark(ls_machine *self, size_t *members) LS_CHECKED;

/** A new list or dict of the last `members` values of the stack takes their place. */
ls_status ls_machine_collect(ls_machine *self, ls_pickle_class class, size_t members) LS_CHECKED;

/** Add the last `members` values of the stack to the list or dict below them, or to what a call has made. */
ls_status ls_machine_extend(ls_machine *self, ls_pickle_class class, size_t members) LS_CHECKED;

/** Store the value on top as number `place`, and push it again. */
ls_status ls_machine_store(ls_machine *self, uint64_t place) LS_CHECKED;
ls_status ls_machine_fetch(ls_machine *self, uint64_t place) LS_CHECKED;

#endif
