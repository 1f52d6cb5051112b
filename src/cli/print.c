/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/print.h"

#include <stdlib.h>
#include <string.h>

#include "base/show.h"
#include "eval/json.h"

enum {
  PIECE_BYTES = 512,            /* of a long line at a time */
  LINE_BYTES = 8 * PIECE_BYTES, /* an escape is at most four times as long as its bytes */
};

void ls_print(FILE *stream, const char *fmt, ...)
{
  char line[LINE_BYTES];
  va_list args;
  va_start(args, fmt);
  const size_t length = ls_show_into(line, sizeof line, fmt, args);
  char *whole = length < sizeof line ? NULL : malloc(length + 1); /* without memory, the line is cut */
  if (whole) ls_show_into(whole, length + 1, fmt, args);
  va_end(args);
  fputs(whole ? whole : line, stream);
  free(whole);
}

/* As much of a line as is printed at a time: no character is taken apart. */
static size_t piece_of(const char *line, size_t length)
{
  size_t piece = length;
  if (length <= PIECE_BYTES) return length;
  for (piece = PIECE_BYTES; piece > PIECE_BYTES - 4; piece--)
    if (((unsigned char)line[piece] & 0xC0) != 0x80) return piece; /* UTF-8: not inside a character */
  return PIECE_BYTES;
}

void ls_print_lines(FILE *stream, const char *text)
{
  while (*text) {
    const size_t length = strcspn(text, "\n");
    const size_t piece = piece_of(text, length);
    const bool is_end = piece == length && text[length] == '\n';
    ls_print(stream, is_end ? "%.*s\n" : "%.*s", (int)piece, text);
    text += piece + is_end;
  }
}

void ls_print_each(FILE *stream, const char *begin, const ls_text *lines)
{
  for (const char *line = ls_text_get(lines); *line; line += strspn(line, "\n")) {
    const size_t length = strcspn(line, "\n");
    ls_print(stream, "%s%.*s\n", begin, (int)length, line);
    line += length;
  }
  if (lines->failed) ls_print(stderr, "lockstep: warning: no memory to tell all of this\n");
}

void ls_print_json(const char *document)
{
  ls_print_lines(stdout, document);
  fputs("\n", stdout);
}

ls_status ls_print_text(ls_text *text)
{
  char *whole;
  LS_PASS(ls_text_take(text, &whole));
  ls_print_lines(stdout, whole);
  free(whole);
  return LS_OK;
}

ls_status ls_print_document(json_t *document, size_t flags)
{
  char *text;
  LS_PASS(ls_json_take(document, flags, &text));
  ls_print_json(text);
  free(text);
  return LS_OK;
}
