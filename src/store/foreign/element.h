/* SPDX-License-Identifier: BSD-3-Clause */
/* Types of numbers, and what the formats call them. Private to the folder. */
#ifndef LS_STORE_FOREIGN_ELEMENT_H
#define LS_STORE_FOREIGN_ELEMENT_H

#include <stddef.h>

typedef struct ls_element {
  const char *torch;       /* "torch.FloatStorage" */
  const char *safetensors; /* "F32" */
  const char *numpy;       /* "f4" */
  size_t bytes;
  float (*to_float)(const unsigned char *bytes); /* NULL: it is no floating-point number */
} ls_element;

/** The type of that name in a format; NULL: there is none. Names are of `length` characters. */
const ls_element *ls_element_of_torch(const char *name, size_t length);
const ls_element *ls_element_of_safetensors(const char *name, size_t length);
const ls_element *ls_element_of_numpy(const char *name, size_t length);

#endif
