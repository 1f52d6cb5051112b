/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks that jansson lacks: it ignores a missing element, it writes an incomplete document where memory
 * fails, and its NULL for a text has two meanings. */
#ifndef LS_EVAL_REPORT_JSON_H
#define LS_EVAL_REPORT_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/** May the first `bytes` bytes of a text be a JSON string: are they UTF-8? Then NULL of json_string() means
 * that memory failed. */
bool ls_json_takes(const char *text, size_t bytes);

/** A path or a message as JSON, which is UTF-8: one that is not is given as it is shown (base/show.h). NULL
 * without memory. */
json_t *ls_json_text(const char *text);

/** The list itself if it has `count` elements; otherwise an element could not be made: the list is released,
 * and NULL. NULL is passed on. */
json_t *ls_json_complete(json_t *list, size_t count);

/** Release the document, and hand its text, made with jansson's `flags`, over to the caller, who frees it.
 * NULL is a document that could not be made. Local. Errors: LS_E_MEMORY. */
ls_status ls_json_take(json_t *document, size_t flags, char **text) LS_CHECKED;

#endif
