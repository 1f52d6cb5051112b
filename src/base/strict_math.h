/* SPDX-License-Identifier: BSD-3-Clause */
/* Refuses flags that let the compiler ignore NaN, infinity, or the order of a sum: with them a diverged
 * training goes unnoticed, and bits depend on the compiler. cmake/flags.cmake refuses the flags by name, and
 * makes every file include this header, which checks the compiler's own macros (clang has them for the first
 * two alone). */
#ifndef LS_BASE_STRICT_MATH_H
#define LS_BASE_STRICT_MATH_H

#if (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__) || defined(__FAST_MATH__) ||                     \
    defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__) || defined(__NO_SIGNED_ZEROS__)
#error lockstep cannot be built with -ffast-math, -Ofast or parts of them: NaN would not be seen, and sums would be \
  reordered. Take them out of CFLAGS.
#endif

#endif
