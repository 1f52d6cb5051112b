/* SPDX-License-Identifier: BSD-3-Clause */
#include "eval/json.h"

#include <stdint.h>

#include "base/text.h"

/* Bytes of the UTF-8 character at `text`; 0 if it is none (RFC 3629: no surrogates, none longer than needed).
 */
static size_t character_bytes(const unsigned char *text)
{
  static const struct {
    unsigned char first, last; /* of the first byte */
    unsigned char least, most; /* of the second */
    size_t bytes;
  } forms[] = {{0x01, 0x7f, 0x00, 0xff, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
               {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
               {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4}};
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
    if (text[0] < forms[i].first || text[0] > forms[i].last) continue;
    if (forms[i].bytes > 1 && (text[1] < forms[i].least || text[1] > forms[i].most)) return 0;
    for (size_t k = 2; k < forms[i].bytes; k++)
      if ((text[k] & 0xc0) != 0x80) return 0;
    return forms[i].bytes;
  }
  return 0;
}

bool ls_json_takes(const char *text, size_t bytes)
{
  for (size_t at = 0, step; at < bytes; at += step) {
    step = character_bytes((const unsigned char *)text + at);
    if (step == 0 || step > bytes - at) return false;
  }
  return true;
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
