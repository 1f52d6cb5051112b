/* SPDX-License-Identifier: BSD-3-Clause */
/* Text for people. Text from outside (class names, paths, layer names, values of a configuration) may hold
 * bytes that control a terminal; here they become visible escapes. Files and values for programs do not use
 * this.
 *
 * Shown as an escape: control characters (\n, \t, \r, \x1b), C1 and format characters, which turn the
 * direction of a line or act on what is near them (\u009b, \u202e), and bytes that are no UTF-8 (\xff). An
 * escape contains nothing to escape: a text may be shown twice.
 */
#ifndef LS_BASE_SHOW_H
#define LS_BASE_SHOW_H

#include <stdarg.h>
#include <stddef.h>

#include "base/text.h"

/** Append formatted text in which every %s is one line of outside text: shown, and with a width counted in
 * columns of a terminal. A precision still counts the bytes that are read. Numbers as by printf; no %n, no
 * wide characters, no long double. */
void ls_text_show(ls_text *text, const char *fmt, ...) LS_PRINTF(2, 3);

/** Append `label` in a column of `width` columns of a terminal, cut or filled up. */
void ls_text_show_column(ls_text *text, const char *label, size_t width);

/** Append `plain`, shown, as the text of an element or attribute of XML: & < > and quotes are written as
 * entities. */
void ls_text_show_markup(ls_text *text, const char *plain);

/** Append `plain`, shown, as one word of a command that is copied into a shell: between quotes where the
 * shell would see more than characters in it; what would be an escape, in bash's $'...'. */
void ls_text_show_word(ls_text *text, const char *plain);

/** As vsnprintf(), and with what ls_text_show() says of %s: returns the length of the whole text, of which as
 * much as fits is in `out`, terminated. Allocates nothing. */
size_t ls_show_into(char *out, size_t size, const char *fmt, va_list args)
    __attribute__((format(printf, 3, 0)));

/** Columns of a terminal that `text` takes when it is shown. */
size_t ls_shown_columns(const char *text);

/** The end of `text`, from the first character on from which it takes at most `width` columns. Borrowed. */
const char *ls_shown_end(const char *text, size_t width);

#endif
