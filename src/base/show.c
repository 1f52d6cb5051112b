/* SPDX-License-Identifier: BSD-3-Clause */
/* Texts are processed character by character, and formats conversion by conversion: printf's widths count
 * bytes, and it escapes nothing. Our own tables have the widths of characters, since the C library's follow
 * the caller's locale. */
#include "base/show.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum {
  ESCAPE_BYTES = 16, /* of the longest escape, two of \uXXXX */
  NUMBER_BYTES = 512 /* of the longest number, %f of DBL_MAX with some decimals */
};

typedef struct range {
  uint32_t first, last;
} range;

/* Unicode's control and format characters, and separators of lines and paragraphs, but the joiners of scripts
 * and emoji (200c, 200d). */
static const range obeyed[] = {{0x0000, 0x001f},   {0x007f, 0x009f},   {0x00ad, 0x00ad},   {0x0600, 0x0605},
                               {0x061c, 0x061c},   {0x06dd, 0x06dd},   {0x070f, 0x070f},   {0x0890, 0x0891},
                               {0x08e2, 0x08e2},   {0x180e, 0x180e},   {0x200b, 0x200b},   {0x200e, 0x200f},
                               {0x2028, 0x202e},   {0x2060, 0x206f},   {0xfeff, 0xfeff},   {0xfff9, 0xfffb},
                               {0xfffe, 0xffff},   {0x110bd, 0x110bd}, {0x110cd, 0x110cd}, {0x13430, 0x1343f},
                               {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe007f}};
/* Marks that are drawn above or below the character before them. */
static const range narrow[] = {{0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x064b, 0x065f},
                               {0x093c, 0x093c}, {0x0941, 0x0948}, {0x200c, 0x200d}, {0x20d0, 0x20f0},
                               {0x3099, 0x309a}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}};
/* East Asian characters and pictures. */
static const range wide[] = {{0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},  {0xac00, 0xd7a3},
                             {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},  {0xffe0, 0xffe6},
                             {0x1f300, 0x1f64f}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static bool is_in(uint32_t code, const range *ranges, size_t count)
{
  for (size_t i = 0; i < count; i++)
    if (code >= ranges[i].first && code <= ranges[i].last) return true;
  return false;
}

/* ---- characters ---- */

/* A character as it is shown. */
typedef struct glyph {
  size_t bytes;   /* taken from the text */
  size_t columns; /* of a terminal */
  size_t length;  /* of the escape; 0: the bytes themselves are shown */
  char escape[ESCAPE_BYTES];
} glyph;

static void escape_code(glyph *out, uint32_t code)
{
  const char *named = code == '\n' ? "\\n" : code == '\t' ? "\\t" : code == '\r' ? "\\r" : NULL;
  int length;
  if (named)
    length = snprintf(out->escape, ESCAPE_BYTES, "%s", named);
  else if (code < 0x20)
    length = snprintf(out->escape, ESCAPE_BYTES, "\\x%02x", code);
  else if (code <= 0xffff)
    length = snprintf(out->escape, ESCAPE_BYTES, "\\u%04x", code);
  else /* as JSON writes it: a document in JSON stays the same document */
    length =
        snprintf(out->escape, ESCAPE_BYTES, "\\u%04x\\u%04x", 0xd7c0 + (code >> 10), 0xdc00 + (code & 0x3ff));
  out->length = out->columns = (size_t)length;
}

/* The first character of `length` bytes, at least one. */
static glyph look_at(const char *text, size_t length)
{
  uint32_t code = 0;
  glyph out = {.bytes = 1, .columns = 1};
  if (text[0] >= ' ' && text[0] <= '~') return out; /* nearly all */
  out.bytes = ls_decode_character(text, length, &code);
  if (out.bytes == 0) {
    out.bytes = 1;
    out.length = out.columns =
        (size_t)snprintf(out.escape, ESCAPE_BYTES, "\\x%02x", (unsigned)(unsigned char)text[0]);
  } else if (is_in(code, obeyed, COUNT(obeyed))) {
    escape_code(&out, code);
  } else if (is_in(code, narrow, COUNT(narrow))) {
    out.columns = 0;
  } else if (is_in(code, wide, COUNT(wide))) {
    out.columns = 2;
  }
  return out;
}

static size_t columns_of(const char *text, size_t length)
{
  size_t columns = 0;
  while (length > 0) {
    const glyph next = look_at(text, length);
    columns += next.columns;
    text += next.bytes;
    length -= next.bytes;
  }
  return columns;
}

size_t ls_shown_columns(const char *text)
{
  return columns_of(text, strlen(text));
}

const char *ls_shown_end(const char *text, size_t width)
{
  size_t columns = ls_shown_columns(text);
  while (columns > width) {
    const glyph next = look_at(text, strlen(text));
    columns -= next.columns;
    text += next.bytes;
  }
  return text;
}

/* ---- formats ---- */

/* A buffer of fixed size; characters that do not fit are counted too. */
typedef struct sink {
  char *chars;
  size_t size, length;
} sink;

static void put(sink *out, const char *bytes, size_t count)
{
  const size_t space = out->length < out->size ? out->size - out->length : 0;
  if (space > 0) memcpy(out->chars + out->length, bytes, count < space ? count : space);
  out->length += count;
}

static void put_blanks(sink *out, size_t count)
{
  for (size_t i = 0; i < count; i++) put(out, " ", 1);
}

static void put_shown(sink *out, const char *text, size_t length)
{
  while (length > 0) {
    const glyph next = look_at(text, length);
    put(out, next.length > 0 ? next.escape : text, next.length > 0 ? next.length : next.bytes);
    text += next.bytes;
    length -= next.bytes;
  }
}

/* A conversion of a format, its stars replaced by their arguments. */
typedef struct conversion {
  char flags[8];
  int width, precision; /* precision -1: none */
  char length;          /* 'l', 'L' for ll, 'j', 'z', 't'; '\0' */
  char letter;
} conversion;

/* The arguments of a format; in a struct of their own, so that functions can share them. */
typedef struct arguments {
  va_list list;
} arguments;

static int parse_number(const char **at, arguments *args)
{
  int number = 0;
  if (**at == '*') {
    ++*at;
    return va_arg(args->list, int);
  }
  for (; **at >= '0' && **at <= '9'; ++*at) number = 10 * number + (**at - '0');
  return number;
}

/* Parse the conversion after a '%'. Returns the rest of the format. */
static const char *parse_conversion(const char *at, arguments *args, conversion *out)
{
  *out = (conversion){.precision = -1};
  for (size_t n = 0; *at && strchr("-+ #0", *at) && n + 1 < sizeof out->flags; n++) out->flags[n] = *at++;
  out->width = parse_number(&at, args);
  if (*at == '.') {
    at++;
    out->precision = parse_number(&at, args);
  }
  for (; *at == 'h'; at++) {
  } /* arguments come as int */
  if (*at && strchr("ljzt", *at)) out->length = *at++;
  if (out->length == 'l' && *at == 'l') {
    out->length = 'L';
    at++;
  }
  out->letter = *at;
  return *at ? at + 1 : at;
}

static intmax_t take_signed(arguments *args, char length)
{
  switch (length) {
  case 'l':
    return va_arg(args->list, long);
  case 'L':
    return va_arg(args->list, long long);
  case 'j':
    return va_arg(args->list, intmax_t);
  case 'z':
  case 't':
    return va_arg(args->list, ptrdiff_t);
  default:
    return va_arg(args->list, int);
  }
}

static uintmax_t take_unsigned(arguments *args, char length)
{
  switch (length) {
  case 'l':
    return va_arg(args->list, unsigned long);
  case 'L':
    return va_arg(args->list, unsigned long long);
  case 'j':
    return va_arg(args->list, uintmax_t);
  case 'z':
  case 't':
    return va_arg(args->list, size_t);
  default:
    return va_arg(args->list, unsigned);
  }
}

/* The format is put together from one that the compiler has checked. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void put_number(sink *out, const conversion *what, arguments *args)
{
  char fmt[16], number[NUMBER_BYTES];
  const bool is_real = strchr("aAeEfFgG", what->letter) != NULL;
  const bool is_signed = what->letter == 'd' || what->letter == 'i';
  int length;
  snprintf(fmt, sizeof fmt, "%%%s*.*%s%c", what->flags, is_real ? "" : "j", what->letter);
  if (is_real)
    length = ls_format(number, sizeof number, fmt, what->width, what->precision, va_arg(args->list, double));
  else if (is_signed)
    length =
        ls_format(number, sizeof number, fmt, what->width, what->precision, take_signed(args, what->length));
  else
    length = ls_format(number, sizeof number, fmt, what->width, what->precision,
                       take_unsigned(args, what->length));
  if (length > 0) put(out, number, strnlen(number, sizeof number));
}
#pragma GCC diagnostic pop

static void put_text(sink *out, const conversion *what, const char *text, size_t length)
{
  const size_t columns = columns_of(text, length);
  const bool is_left = what->width < 0 || strchr(what->flags, '-');
  const size_t width = (size_t)(what->width < 0 ? -(long)what->width : what->width);
  const size_t blanks = width > columns ? width - columns : 0;
  if (!is_left) put_blanks(out, blanks);
  put_shown(out, text, length);
  if (is_left) put_blanks(out, blanks);
}

static void put_argument(sink *out, const conversion *what, arguments *args)
{
  if (what->letter == 's') {
    const char *text = va_arg(args->list, const char *);
    put_text(out, what, text, what->precision < 0 ? strlen(text) : strnlen(text, (size_t)what->precision));
  } else if (what->letter == 'c') {
    const char c = (char)va_arg(args->list, int);
    put_text(out, what, &c, 1);
  } else {
    assert(what->letter && strchr("diouxXaAeEfFgG", what->letter));
    put_number(out, what, args);
  }
}

size_t ls_show_into(char *out, size_t size, const char *fmt, va_list args)
{
  sink made = {.chars = out, .size = size > 0 ? size - 1 : 0};
  arguments taken;
  va_copy(taken.list, args);
  while (*fmt) {
    const size_t plain = strcspn(fmt, "%");
    put(&made, fmt, plain);
    fmt += plain;
    if (fmt[0] == '%' && fmt[1] == '%') {
      put(&made, "%", 1);
      fmt += 2;
    } else if (*fmt) {
      conversion what;
      fmt = parse_conversion(fmt + 1, &taken, &what);
      put_argument(&made, &what, &taken);
    }
  }
  va_end(taken.list);
  if (size > 0) out[made.length < size ? made.length : size - 1] = '\0';
  return made.length;
}

/* ---- texts ---- */

void ls_text_show(ls_text *text, const char *fmt, ...)
{
  va_list args;
  va_start(args, fmt);
  const size_t length = ls_show_into(NULL, 0, fmt, args);
  char *end = ls_text_extend(text, length);
  if (end) ls_show_into(end, length + 1, fmt, args);
  va_end(args);
}

static void add_glyph(ls_text *text, const char *from, const glyph *what)
{
  ls_text_add_bytes(text, what->length > 0 ? what->escape : from,
                    what->length > 0 ? what->length : what->bytes);
}

void ls_text_show_column(ls_text *text, const char *label, size_t width)
{
  for (size_t rest = strlen(label); rest > 0;) {
    const glyph next = look_at(label, rest);
    if (next.columns > width) break;
    add_glyph(text, label, &next);
    width -= next.columns;
    label += next.bytes;
    rest -= next.bytes;
  }
  ls_text_add(text, "%*s", (int)width, "");
}

/* Is nothing of it shown as an escape? */
static bool is_shown_as_it_is(const char *text)
{
  for (size_t rest = strlen(text); rest > 0;) {
    const glyph next = look_at(text, rest);
    if (next.length > 0) return false;
    text += next.bytes;
    rest -= next.bytes;
  }
  return true;
}

void ls_text_show_word(ls_text *text, const char *plain)
{
  static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:=@_";
  const bool is_plain = is_shown_as_it_is(plain);
  if (*plain && plain[strspn(plain, safe)] == '\0') {
    ls_text_add(text, "%s", plain);
    return;
  }
  ls_text_add(text, is_plain ? "'" : "$'");
  for (const char *at = plain; *at; at++) {
    const unsigned char c = (unsigned char)*at;
    if (is_plain)
      ls_text_add(text, c == '\'' ? "'\\''" : "%c", c);
    else
      ls_text_add(text, c < ' ' || c > '~' || c == '\'' || c == '\\' ? "\\x%02x" : "%c", c);
  }
  ls_text_add(text, "'");
}

static const char *entity_of(char c)
{
  switch (c) {
  case '&':
    return "&amp;";
  case '<':
    return "&lt;";
  case '>':
    return "&gt;";
  case '"':
    return "&quot;";
  case '\'':
    return "&#39;";
  default:
    return NULL;
  }
}

void ls_text_show_markup(ls_text *text, const char *plain)
{
  for (size_t rest = strlen(plain); rest > 0;) {
    const glyph next = look_at(plain, rest);
    const char *entity = entity_of(*plain);
    if (entity)
      ls_text_add(text, "%s", entity);
    else
      add_glyph(text, plain, &next);
    plain += next.bytes;
    rest -= next.bytes;
  }
}
