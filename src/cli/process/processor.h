/* SPDX-License-Identifier: BSD-3-Clause */
/* A build for the processor that made it (-march=native) may use instructions that an older one does not
 * have, and would end there by SIGILL, without a word. */
#ifndef LS_CLI_PROCESS_PROCESSOR_H
#define LS_CLI_PROCESS_PROCESSOR_H

#include <stdbool.h>

/* Sets of instructions: x86's name, and the macro of a compiler that uses them. */
#define LS_PROCESSOR_SETS(X)                                                                                 \
  X("sse3", __SSE3__)                                                                                        \
  X("ssse3", __SSSE3__)                                                                                      \
  X("sse4.1", __SSE4_1__)                                                                                    \
  X("sse4.2", __SSE4_2__)                                                                                    \
  X("popcnt", __POPCNT__)                                                                                    \
  X("avx", __AVX__)                                                                                          \
  X("fma", __FMA__)                                                                                          \
  X("fma4", __FMA4__)                                                                                        \
  X("xop", __XOP__)                                                                                          \
  X("bmi", __BMI__)                                                                                          \
  X("bmi2", __BMI2__)                                                                                        \
  X("avx2", __AVX2__)                                                                                        \
  X("avx512f", __AVX512F__)                                                                                  \
  X("avx512cd", __AVX512CD__)                                                                                \
  X("avx512dq", __AVX512DQ__)                                                                                \
  X("avx512bw", __AVX512BW__)                                                                                \
  X("avx512vl", __AVX512VL__)                                                                                \
  X("avx512ifma", __AVX512IFMA__)                                                                            \
  X("avx512vbmi", __AVX512VBMI__)                                                                            \
  X("avx512vbmi2", __AVX512VBMI2__)                                                                          \
  X("avx512vnni", __AVX512VNNI__)                                                                            \
  X("avx512bitalg", __AVX512BITALG__)                                                                        \
  X("avx512vpopcntdq", __AVX512VPOPCNTDQ__)

/** Does this build use the set? In the order of LS_PROCESSOR_SETS. */
extern const bool ls_processor_uses[];

/** Has this processor what the build uses? If not, say so on standard error, with no code but libc's and what
 * is compiled for any processor of the architecture. Local. */
bool ls_processor_check(void);

#endif
