/* SPDX-License-Identifier: BSD-3-Clause */
/* Vectors and the instructions for them: only this file asks for the instruction sets of the compiler's
 * target. The kernels are texts (tile_kernels.h and its kin) in C with the vector extension of gcc and clang,
 * over the types and macros below; each kernel set (dispatch.h) compiles them once, with the flags of its
 * file in src/CMakeLists.txt.
 *
 * Macros rather than functions: where the processor has no such vectors, they cannot be arguments. */
#ifndef LS_KERNELS_SIMD_H
#define LS_KERNELS_SIMD_H

#include <stdint.h>

/** Sets of instructions that a build for one processor may use: an identifier, x86's name, and the macro of a
 * compiler that uses them. */
#ifdef __x86_64__
#define LS_INSTRUCTION_SETS(X)                                                                               \
  X(SSE3, "sse3", __SSE3__)                                                                                  \
  X(SSSE3, "ssse3", __SSSE3__)                                                                               \
  X(SSE4_1, "sse4.1", __SSE4_1__)                                                                            \
  X(SSE4_2, "sse4.2", __SSE4_2__)                                                                            \
  X(POPCNT, "popcnt", __POPCNT__)                                                                            \
  X(AVX, "avx", __AVX__)                                                                                     \
  X(FMA, "fma", __FMA__)                                                                                     \
  X(FMA4, "fma4", __FMA4__)                                                                                  \
  X(XOP, "xop", __XOP__)                                                                                     \
  X(BMI, "bmi", __BMI__)                                                                                     \
  X(BMI2, "bmi2", __BMI2__)                                                                                  \
  X(AVX2, "avx2", __AVX2__)                                                                                  \
  X(AVX512F, "avx512f", __AVX512F__)                                                                         \
  X(AVX512CD, "avx512cd", __AVX512CD__)                                                                      \
  X(AVX512DQ, "avx512dq", __AVX512DQ__)                                                                      \
  X(AVX512BW, "avx512bw", __AVX512BW__)                                                                      \
  X(AVX512VL, "avx512vl", __AVX512VL__)                                                                      \
  X(AVX512IFMA, "avx512ifma", __AVX512IFMA__)                                                                \
  X(AVX512VBMI, "avx512vbmi", __AVX512VBMI__)                                                                \
  X(AVX512VBMI2, "avx512vbmi2", __AVX512VBMI2__)                                                             \
  X(AVX512VNNI, "avx512vnni", __AVX512VNNI__)                                                                \
  X(AVX512BITALG, "avx512bitalg", __AVX512BITALG__)                                                          \
  X(AVX512VPOPCNTDQ, "avx512vpopcntdq", __AVX512VPOPCNTDQ__)
#else
#define LS_INSTRUCTION_SETS(X)
#endif

#define LS_INSTRUCTIONS_ID(id, name, macro) LS_INSTRUCTIONS_##id,
enum { LS_INSTRUCTION_SETS(LS_INSTRUCTIONS_ID) LS_INSTRUCTIONS_COUNT };

/** Those that the file is compiled for, a bit each: a macro that is defined is 1, another one its own name.
 */
#define LS_INSTRUCTIONS_TEXT(x) #x
#define LS_INSTRUCTIONS_BIT(id, name, macro)                                                                 \
  | (uint64_t)(sizeof(LS_INSTRUCTIONS_TEXT(macro)) == sizeof "1") << LS_INSTRUCTIONS_##id
#define LS_INSTRUCTIONS_USED (UINT64_C(0) LS_INSTRUCTION_SETS(LS_INSTRUCTIONS_BIT))

/** The kernel sets, a file each: set_built.c and others. */
#ifdef __x86_64__
#define LS_KERNEL_SETS(X) X(built) X(avx2)
#else
#define LS_KERNEL_SETS(X) X(built)
#endif

#if defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>
#define LS_SIMD_AVX2
enum { VECTOR_BYTES = 32 };
#else
enum { VECTOR_BYTES = 16 };
#endif

enum { LANES = VECTOR_BYTES / 4 };

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* ---- vectors as wide as the registers ---- */

typedef float vec __attribute__((vector_size(VECTOR_BYTES)));
typedef float unaligned __attribute__((vector_size(VECTOR_BYTES), aligned(4), may_alias));
typedef int32_t mask __attribute__((vector_size(VECTOR_BYTES))); /* -1: yes */
typedef uint16_t index_vec __attribute__((vector_size(VECTOR_BYTES / 2)));
typedef uint16_t unaligned_indices __attribute__((vector_size(VECTOR_BYTES / 2), aligned(2), may_alias));

#define VECTOR_AT(x) (*(const unaligned *)(x))
#define STORE_AT(x, v) (*(unaligned *)(x) = (v))
#ifdef LS_SIMD_AVX2
#define SPLAT(x) ((vec){x, x, x, x, x, x, x, x})
#define MULTIPLY_ADD(a, b, c) _mm256_fmadd_ps(a, b, c)
#define MULTIPLY_ADD_ONE(a, b, c) __builtin_fmaf(a, b, c)
#define CHOOSE(yes, a, b) _mm256_blendv_ps(b, a, (vec)(yes)) /* yes ? a : b, lane by lane */
#else
#define SPLAT(x) ((vec){x, x, x, x})
#define MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))
#define MULTIPLY_ADD_ONE(a, b, c) MULTIPLY_ADD(a, b, c)
#define CHOOSE(yes, a, b) ((vec)(((mask)(a) & (yes)) | ((mask)(b) & ~(yes))))
#endif

/* ---- vectors of eight everywhere, so that sums have one order ---- */

typedef float eight __attribute__((vector_size(32)));
typedef float unaligned_eight __attribute__((vector_size(32), aligned(4), may_alias));

#define EIGHT_AT(x) (*(const unaligned_eight *)(x))
#define STORE_EIGHT(x, v) (*(unaligned_eight *)(x) = (v))
#define SPLAT_EIGHT(x) ((eight){x, x, x, x, x, x, x, x})
#ifdef LS_SIMD_AVX2
#define MULTIPLY_ADD_EIGHT(a, b, c) _mm256_fmadd_ps(a, b, c)
#else
#define MULTIPLY_ADD_EIGHT(a, b, c) ((a) * (b) + (c))
#endif

/* ---- the widest vectors, for what is done to each lane by itself ---- */

#ifdef __AVX512F__
enum { WIDEST_LANES = 16 };
typedef float widest_vec __attribute__((vector_size(64)));
typedef float unaligned_widest __attribute__((vector_size(64), aligned(4), may_alias));
#define WIDEST_AT(x) (*(const unaligned_widest *)(x))
#define STORE_WIDEST(x, v) (*(unaligned_widest *)(x) = (v))
#define MULTIPLY_ADD_WIDEST(a, b, c) _mm512_fmadd_ps(a, b, c)
#else
enum { WIDEST_LANES = 8 };
typedef eight widest_vec;
#define WIDEST_AT EIGHT_AT
#define STORE_WIDEST STORE_EIGHT
#define MULTIPLY_ADD_WIDEST MULTIPLY_ADD_EIGHT
#endif

/* A load that the compiler does not repeat for each multiply-add that uses it: loads bound the speed of some
 * loops. */
#ifdef LS_SIMD_AVX2
#define KEEP(v) __asm__("" : "+x"(v))
#else
#define KEEP(v) (void)(v)
#endif

/* Lanes of two vectors, 0 to 7 of `a` and 8 to 15 of `b`. gcc has clang's builtin from 12 on. */
#if defined(__clang__) || __GNUC__ >= 12
#define SHUFFLE_EIGHT(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
typedef int lanes_of_eight __attribute__((vector_size(32)));
#define SHUFFLE_EIGHT(a, b, ...) __builtin_shuffle(a, b, (lanes_of_eight){__VA_ARGS__})
#endif

#endif
