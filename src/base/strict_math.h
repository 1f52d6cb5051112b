/* SPDX-License-Identifier: BSD-3-Clause */
/* Flags that let the compiler forget NaN, infinity, or the order of a sum: then a training that has diverged
 * is not seen, and the bits depend on the compiler's choice. cmake/flags.cmake refuses the flags by name, and
 * has every file include this, which refuses what the compiler says of itself (clang: of the first two
 * alone). */
#ifndef LS_BASE_STRICT_MATH_H
#define LS_BASE_STRICT_MATH_H

#if (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__) || defined(__FAST_MATH__) ||                     \
    defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__) || defined(__NO_SIGNED_ZEROS__)
#error lockstep cannot be built with -ffast-math, -Ofast or parts of them: NaN would not be seen, and sums would be \
  reordered. Take them out of CFLAGS.
#endif

#endif
