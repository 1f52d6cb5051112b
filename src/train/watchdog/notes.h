/* SPDX-License-Identifier: BSD-3-Clause */
/* Notes that the ranks write for each other while none of them gets on, one each. Where a job has a run
 * directory these are files there, since files are what all its hosts share. Elsewhere they lie in memory
 * that the ranks of a host share, each with the time at which its owner was last alive. The watching
 * thread alone writes and reads them; a new job removes those of the last. */
#ifndef LS_TRAIN_WATCHDOG_NOTES_H
#define LS_TRAIN_WATCHDOG_NOTES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/files/directory.h"
#include "base/status.h"
#include "comm/node.h"

enum { LS_NOTE_BYTES = 256 };

/** Initialize it with {.rank, .size, .folder = -1}: there are no notes yet. */
typedef struct ls_notes {
  int rank, size; /* of this one; of the job */
  char *path;     /* of the folder, owned; NULL: none */
  int folder;     /* that one, open: it may be moved; -1: not, and nothing is written or read */
  ls_node *node;  /* borrowed; NULL: no memory */
} ls_notes;

/** What there is of a rank. */
typedef enum ls_word {
  LS_WORD_NONE, /* no sign of life */
  LS_WORD_FINE, /* it is alive, and has left no note; in memory alone */
  LS_WORD_NOTE
} ls_word;

/** Remove the notes that the ranks of an ended job have left, before one of this job writes its own. One rank
 * for all that share the folder. Local. */
void ls_notes_clear(const ls_directory *run_dir);

/** From now on notes are files in this folder; one that this rank has not opened is the one that its path
 * leads to. Local. Errors: LS_E_MEMORY. */
ls_status ls_notes_take_folder(ls_notes *notes, const ls_directory *run_dir) LS_CHECKED;

/** Bytes of a rank's segment of the node that notes are kept in; and from now on they are. Local. */
size_t ls_notes_bytes(void);
void ls_notes_take_memory(ls_notes *notes, ls_node *node);

/** Move the folder and the memory of `from` to `to`; `from` has none afterwards. Local. */
void ls_notes_move(ls_notes *to, ls_notes *from);

void ls_notes_fini(ls_notes *notes);

/** Can notes of other ranks be read? */
bool ls_notes_are_kept(const ls_notes *notes);

/** Of how many ranks, this one included: of the job, or of this host. */
size_t ls_notes_count(const ls_notes *notes);

/** This rank is alive. Local. */
void ls_notes_beat(const ls_notes *notes);

/** Write this rank's note, or remove it. A note that cannot be written, as on a full disk, is no error: only
 * its reader misses it. Local. */
void ls_notes_write(const ls_notes *notes, const char *text);
void ls_notes_remove(const ls_notes *notes);

/** The i-th of them: whose it is, and its note, "" if there is none. Who has not been alive for `silent_s`
 * gives no sign of life. Local. */
ls_word ls_notes_read(const ls_notes *notes, size_t i, double silent_s, int *rank, char note[LS_NOTE_BYTES]);

#endif
