/* SPDX-License-Identifier: BSD-3-Clause */
#include "eval/report/json.h"

#include <stdint.h>
#include <string.h>

#include "base/show.h"
#include "base/text.h"

bool ls_json_takes(const char *text, size_t bytes)
{
  for (size_t at = 0; at < bytes;) {
    uint32_t code = 0;
    const size_t step = ls_decode_character(text + at, bytes - at, &code);
    if (step == 0 || code == 0) return false;
    at += step;
  }
  return true;
}

json_t *ls_json_text(const char *text)
{
  ls_text shown = {0};
  json_t *json = NULL;
  if (ls_json_takes(text, strlen(text))) return json_string(text);
  ls_text_show(&shown, "%s", text);
  if (!shown.failed) json = json_string(ls_text_get(&shown));
  ls_text_fini(&shown);
  return json;
}

json_t *ls_json_complete(json_t *list, size_t count)
{
  if (!list || json_array_size(list) == count) return list;
  json_decref(list);
  return NULL;
}

/* jansson goes on after a failure; the text remembers it. */
static int add_part(const char *part, size_t bytes, void *text)
{
  ls_text_add_bytes(text, part, bytes);
  return 0;
}

ls_status ls_json_take(json_t *document, size_t flags, char **text)
{
  ls_text whole = {0};
  const bool fine = document && json_dump_callback(document, add_part, &whole, flags) == 0;
  json_decref(document);
  if (fine && !whole.failed) return ls_text_take(&whole, text);
  ls_text_fini(&whole);
  return ls_fail(LS_E_MEMORY, "no memory for the JSON document");
}
