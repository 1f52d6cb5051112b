/* SPDX-License-Identifier: BSD-3-Clause */
/* Zip archives in memory: libzip, and limits on what their members expand to. Private to the folder. */
#ifndef LS_STORE_FOREIGN_ZIP_H
#define LS_STORE_FOREIGN_ZIP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "store/foreign/tensor.h"

typedef struct ls_zip ls_zip;

/** Does a file begin as archives do? */
bool ls_zip_recognises(const ls_foreign_file *file);

/** Open an archive whose bytes stay where they are until ls_zip_close(). Errors: LS_E_INPUT if it is damaged;
 * LS_E_MEMORY. */
ls_status ls_zip_open(ls_zip **zip, const ls_foreign_file *file) LS_CHECKED;
void ls_zip_close(ls_zip *zip);

size_t ls_zip_count(const ls_zip *zip);

/** The name of a member, borrowed; "" where it cannot be read. */
const char *ls_zip_name(const ls_zip *zip, size_t member);

/** The first member whose name ends so; ls_zip_count(): there is none. */
size_t ls_zip_find_ending(const ls_zip *zip, const char *ending);

/** Read a member as a whole, and check it against its sum. *bytes is freed with free().
 *
 * Errors: LS_E_INPUT if there is none of the name, it is damaged, or expands to far more than the file's
 * length; LS_E_MEMORY. */
ls_status ls_zip_read(const ls_zip *zip, const char *name, unsigned char **bytes, size_t *count) LS_CHECKED;

#endif
