/* SPDX-License-Identifier: BSD-3-Clause */
/* All text to standard output and standard error is printed here: control characters become visible escapes
 * (base/show.h). Output is best effort; main() checks at the end that standard output was written.
 */
#ifndef LS_CLI_PRINT_H
#define LS_CLI_PRINT_H

#include <jansson.h>
#include <stdio.h>

#include "base/status.h"
#include "base/text.h"

/** Print formatted text, in one write; every %s is one line of outside text. Local. */
void ls_print(FILE *stream, const char *fmt, ...) LS_PRINTF(2, 3);

/** Print a text of several lines that is complete: a report. Local. */
void ls_print_lines(FILE *stream, const char *text);

/** Print each line of a text after `begin`, and a warning where the text is incomplete. Local. */
void ls_print_each(FILE *stream, const char *begin, const ls_text *lines);

/** Print a warning on standard error, one line, in one write: lines of several ranks do not mix. Local. */
void ls_warn(const char *fmt, ...) LS_PRINTF(1, 2);

/** Print each line of a text as a warning, after `whose`, such as "member 2: ". Local. */
void ls_warn_each(const char *whose, const ls_text *lines);

/** Print a document in JSON and a newline on standard output; it stays the same document. Local. */
void ls_print_json(const char *document);

/** Print a text of several lines on standard output, whole or not at all, and release it. Local. Errors:
 * LS_E_MEMORY if a part of it is missing. */
ls_status ls_print_text(ls_text *text) LS_CHECKED;

/** Print a document with jansson's `flags`, and release it; NULL is one that could not be made. Local.
 * Errors: LS_E_MEMORY. */
ls_status ls_print_document(json_t *document, size_t flags) LS_CHECKED;

/** Does a person look at standard output or standard error: is it a terminal, also seen through mpirun?
 * Local. */
bool ls_on_terminal(FILE *stream);

#endif
