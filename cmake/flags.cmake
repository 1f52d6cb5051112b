# Warnings and machine flags, as one interface target that every target of ours links.
add_library(ls_flags INTERFACE)
target_compile_definitions(ls_flags INTERFACE _GNU_SOURCE LS_VERSION="${PROJECT_VERSION}")
target_compile_options(ls_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
  -Wformat=2 -Wundef -Wcast-qual)
# What comes with CFLAGS and LDFLAGS stands before our flags, and a compiler does not report all flags that break sums. Linked
# with them, a program flushes small numbers to zero.
string(TOUPPER "${CMAKE_BUILD_TYPE}" LS_BUILD_TYPE)
set(LS_GIVEN_FLAGS "${CMAKE_C_FLAGS} ${CMAKE_C_FLAGS_${LS_BUILD_TYPE}} ${CMAKE_EXE_LINKER_FLAGS} ${CMAKE_SHARED_LINKER_FLAGS}")
if(" ${LS_GIVEN_FLAGS} " MATCHES
   " (-Ofast|-f(fast-math|unsafe-math-optimizations|associative-math|reciprocal-math|finite-math-only|no-signed-zeros)) ")
  message(FATAL_ERROR "lockstep cannot be built with ${CMAKE_MATCH_1}: NaN would not be seen, and sums would be reordered. "
                      "Take it out of CFLAGS and LDFLAGS.")
endif()
target_compile_options(ls_flags INTERFACE "SHELL:-include ${PROJECT_SOURCE_DIR}/src/base/strict_math.h")
# Vectorizable maths without touching NaNs, signed zeros or the order of sums.
target_compile_options(ls_flags INTERFACE -fno-math-errno -fno-trapping-math -ffp-contract=off)
if(LS_WERROR)
  target_compile_options(ls_flags INTERFACE -Werror)
endif()
# The build type's own NDEBUG stands before this.
if(LS_ASSERTIONS)
  target_compile_options(ls_flags INTERFACE -UNDEBUG)
elseif(NOT LS_BUILD_TYPE STREQUAL "DEBUG")
  target_compile_definitions(ls_flags INTERFACE NDEBUG)
endif()
if(LS_FAULTS)
  target_compile_definitions(ls_flags INTERFACE LS_FAULTS)
endif()
# clang before 15 has no -march=native on Arm, gcc has none on POWER.
if(LS_NATIVE)
  include(CheckCCompilerFlag)
  check_c_compiler_flag(-march=native LS_HAS_MARCH_NATIVE)
  target_compile_options(ls_flags INTERFACE $<IF:$<BOOL:${LS_HAS_MARCH_NATIVE}>,-march=native,-mcpu=native>)
endif()
if(LS_FUZZ)
  target_compile_options(ls_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(LS_SANITIZE)
  target_compile_options(ls_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  target_link_options(ls_flags INTERFACE -fsanitize=address,undefined)
  target_compile_definitions(ls_flags INTERFACE LS_SANITIZED)
endif()

# The sanitizers' settings, for programs.
function(ls_sanitized_program target)
  if(LS_SANITIZE)
    target_sources(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests/sanitizers.c)
    set_target_properties(${target} PROPERTIES ENABLE_EXPORTS ON)
  endif()
endfunction()
