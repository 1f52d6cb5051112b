/* SPDX-License-Identifier: BSD-3-Clause */
/* Files are called stalled.<rank>. Bytes in memory are atomic one by one, and a counted version shows a
 * reader whether it has seen one note or parts of two. */
#include "train/watchdog/notes.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/files/file.h"
#include "base/memory.h"

enum { NAME_BYTES = 32, MOST_LOOKS = 1000 };

static const char NOTE_PREFIX[] = "stalled.";

/* A rank's note in its segment of the node. */
typedef struct slot {
  atomic_int rank;
  atomic_uint_least64_t beat_ms; /* clock when it was last alive; the clock of a host is one */
  atomic_uint version;           /* odd while the note is written */
  atomic_char note[LS_NOTE_BYTES];
} slot;

/* ---- files ---- */

static void note_name(int rank, const char *ending, char name[NAME_BYTES])
{
  snprintf(name, NAME_BYTES, "%s%d%s", NOTE_PREFIX, rank, ending);
}

void ls_notes_clear(const ls_directory *run_dir)
{
  ls_names names;
  if (ls_directory_list(run_dir, &names) != LS_OK) return;
  for (size_t i = 0; i < names.count; i++)
    if (strncmp(names.items[i], NOTE_PREFIX, strlen(NOTE_PREFIX)) == 0)
      unlinkat(run_dir->descriptor, names.items[i], 0);
  ls_names_fini(&names);
}

/* An open folder again; by its path, where another rank has opened it. -1 if that fails. */
static int open_again(const ls_directory *folder)
{
  int descriptor;
  if (folder->descriptor >= 0)
    LS_RETRY(descriptor, LS_SYSTEM("open", fcntl(folder->descriptor, F_DUPFD_CLOEXEC, 0)));
  else
    LS_RETRY(descriptor, LS_SYSTEM("open", open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)));
  return descriptor;
}

ls_status ls_notes_take_folder(ls_notes *notes, const ls_directory *run_dir)
{
  LS_PASS(ls_text_copy(&notes->path, run_dir->path));
  notes->folder = open_again(run_dir);
  /* A note of a session that was killed, where ls_notes_clear() did not see it. */
  ls_notes_remove(notes);
  return LS_OK;
}

static void remove_file(const ls_notes *self)
{
  char name[NAME_BYTES];
  note_name(self->rank, "", name);
  if (self->folder >= 0) unlinkat(self->folder, name, 0);
}

/* Write under another name first: others may read at any time. */
static void write_file(const ls_notes *self, const char *text)
{
  char name[NAME_BYTES], temporary[NAME_BYTES];
  if (self->folder < 0) return;
  note_name(self->rank, "", name);
  note_name(self->rank, ".tmp", temporary);
  unlinkat(self->folder, temporary,
           0); /* of a session that was killed: no other process writes under that name */
  int descriptor;
  ssize_t put;
  LS_RETRY(descriptor, LS_SYSTEM("open", openat(self->folder, temporary,
                                                O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666)));
  if (descriptor < 0) return;
  LS_RETRY(put, LS_SYSTEM("write", write(descriptor, text, strlen(text))));
  const bool is_written = put == (ssize_t)strlen(text);
  if (close(descriptor) == 0 && is_written)
    renameat(self->folder, temporary, self->folder, name);
  else
    unlinkat(self->folder, temporary, 0);
}

/* The note of a rank, "" if it says nothing; false if there is none. */
static bool read_file(const ls_notes *self, int rank, char note[LS_NOTE_BYTES])
{
  char name[NAME_BYTES];
  int descriptor;
  ssize_t length;
  if (self->folder < 0) return false;
  note_name(rank, "", name);
  LS_RETRY(descriptor, LS_SYSTEM("open", openat(self->folder, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC)));
  if (descriptor < 0) return false;
  LS_RETRY(length, LS_SYSTEM("read", read(descriptor, note, LS_NOTE_BYTES - 1)));
  note[length > 0 ? length : 0] = '\0';
  close(descriptor);
  return true;
}

/* ---- memory ---- */

size_t ls_notes_bytes(void)
{
  return sizeof(slot);
}

static slot *slot_of(const ls_notes *notes, size_t i)
{
  return ls_node_segment(notes->node, i);
}

static slot *own_slot(const ls_notes *notes)
{
  return slot_of(notes, ls_node_rank(notes->node));
}

void ls_notes_take_memory(ls_notes *notes, ls_node *node)
{
  notes->node = node;
  atomic_store(&own_slot(notes)->rank, notes->rank);
  ls_notes_beat(notes);
}

void ls_notes_beat(const ls_notes *notes)
{
  if (notes->node) atomic_store(&own_slot(notes)->beat_ms, (uint64_t)(1e3 * ls_clock_s()));
}

static void write_slot(const ls_notes *notes, const char *text)
{
  slot *own = own_slot(notes);
  size_t i = 0;
  atomic_fetch_add(&own->version, 1);
  for (; text[i] && i < LS_NOTE_BYTES - 1; i++) atomic_store(&own->note[i], text[i]);
  atomic_store(&own->note[i], '\0');
  atomic_fetch_add(&own->version, 1);
}

/* A writer that was stopped meanwhile leaves a note that is not whole. */
static void copy_note(const slot *other, char note[LS_NOTE_BYTES])
{
  for (size_t look = 0; look < MOST_LOOKS; look++) {
    const unsigned version = atomic_load(&other->version);
    for (size_t i = 0; i < LS_NOTE_BYTES; i++) note[i] = atomic_load(&other->note[i]);
    if (version % 2 == 0 && atomic_load(&other->version) == version) return;
  }
  note[0] = '\0';
}

static ls_word read_slot(const ls_notes *notes, size_t i, double silent_s, int *rank,
                         char note[LS_NOTE_BYTES])
{
  const slot *other = slot_of(notes, i);
  *rank = atomic_load(&other->rank);
  const double beat_s = 1e-3 * (double)atomic_load(&other->beat_ms);
  copy_note(other, note);
  if (ls_clock_s() - beat_s > silent_s) return LS_WORD_NONE;
  return note[0] ? LS_WORD_NOTE : LS_WORD_FINE;
}

/* ---- either ---- */

void ls_notes_move(ls_notes *to, ls_notes *from)
{
  if (from->path) {
    free(to->path);
    if (to->folder >= 0) close(to->folder);
    to->path = from->path;
    to->folder = from->folder;
    from->path = NULL;
    from->folder = -1;
  }
  if (from->node) to->node = from->node;
  from->node = NULL;
}

void ls_notes_fini(ls_notes *notes)
{
  if (notes->folder >= 0) close(notes->folder);
  free(notes->path);
}

bool ls_notes_are_kept(const ls_notes *notes)
{
  return notes->path || (notes->node && ls_node_size(notes->node) > 1);
}

size_t ls_notes_count(const ls_notes *notes)
{
  if (!ls_notes_are_kept(notes)) return 0;
  return notes->path ? (size_t)notes->size : ls_node_size(notes->node);
}

void ls_notes_write(const ls_notes *notes, const char *text)
{
  if (notes->path)
    write_file(notes, text);
  else if (notes->node)
    write_slot(notes, text);
}

void ls_notes_remove(const ls_notes *notes)
{
  if (notes->path)
    remove_file(notes);
  else if (notes->node)
    write_slot(notes, "");
}

ls_word ls_notes_read(const ls_notes *notes, size_t i, double silent_s, int *rank, char note[LS_NOTE_BYTES])
{
  note[0] = '\0';
  *rank = (int)i;
  if (!notes->path) return read_slot(notes, i, silent_s, rank, note);
  return read_file(notes, *rank, note) ? LS_WORD_NOTE : LS_WORD_NONE;
}
