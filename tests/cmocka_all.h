/* SPDX-License-Identifier: BSD-3-Clause */
/* cmocka with the headers that it needs before it, in its order. */
#ifndef LS_TESTS_CMOCKA_ALL_H
#define LS_TESTS_CMOCKA_ALL_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#endif
