#!/usr/bin/env bash
# The arrows between the modules point down only, no files include each other in a circle, and libraries stay behind
# their module's face.
set -euo pipefail
cd "$(dirname "$0")/../.."
bad=0

# refuse WHAT PATTERN ALLOWED: PATTERN may stand only in files that match ALLOWED.
refuse() {
  local what=$1 pattern=$2 allowed=$3 found
  found=$(find src include -name '*.[ch]' | grep -vE "$allowed" | xargs grep -nE "$pattern" /dev/null || true)
  [[ -z "$found" ]] || { echo "$what:"; echo "$found"; bad=1; }
}
refuse 'mpi.h outside src/comm' '#include *<mpi\.h>' '^src/comm/'
refuse 'HDF5, its types and calls outside src/h5' \
  '#include *<(hdf5|H5)|(^|[^_a-zA-Z])(hid_t|hsize_t|herr_t|htri_t|H5[A-Z][A-Za-z]*_[A-Za-z0-9_]+|H5[A-Z]?[a-z][a-zA-Z0-9_]* *\()' '^src/h5/'
refuse 'h5/chunks.h outside src/h5' '#include *"h5/chunks\.h"' '^src/h5/'
while IFS= read -r header; do
  refuse "${header#src/} outside ${header%/*}" "#include *\"${header#src/}\"" "^${header%/*}/"
done < <(find src -name '*internal.h' | sort)
refuse 'yaml.h outside src/config' '#include *<yaml\.h>' '^src/config/'
refuse 'GEMM libraries outside src/kernels/gemm' '#include *<(libxsmm|cblas)' '^src/kernels/gemm/(xsmm|cblas)\.c$'
refuse 'instructions of a processor, or the question which it has, outside src/kernels/simd.h and dispatch.c' \
  '__(AVX|SSE|SSSE|FMA|AMX|ARM_|BMI|POPCNT)|__builtin_(cpu_|ia32_|shuffle)|immintrin|arm_neon|vector_size|[^a-z]_mm[0-9]*_|target_clones|[(]target[(]|GCC target' \
  '^src/kernels/(simd\.h|dispatch\.c)$'
refuse 'jansson outside src/eval, src/cli, src/store/foreign and src/store/export' '#include *<jansson' '^src/(eval|cli|store/(foreign|export))/'
refuse 'libzip outside src/store/foreign and src/store/export' '#include *<zip\.h>' '^src/store/(foreign|export)/'
refuse "ONNX's messages outside src/onnx" '#include *<(onnx\.pb-c|protobuf-c)|(^|[^_a-zA-Z])Onnx__' '^src/onnx/'
refuse 'exit, abort or printing in the library' '(^|[^_a-zA-Z])(exit|abort|printf|fprintf|puts|perror) *\(' '^(src/cli|include)/'
refuse 'text that leaves by another way than cli/print.h' \
  '(^|[^_a-zA-Z])(printf|fprintf|puts|fputs|putchar|fputc|perror|vprintf|vfprintf) *\(' \
  '^(src/cli/print\.c|include/)'
refuse 'numbers in the locale of the caller: base/text.h reads and writes them' \
  '(^|[^_a-zA-Z])(strto[df]|strtold|atof|[fs]?scanf|setlocale) *\(' '^(src/base/text\.c|src/h5/seal\.c)$'
refuse 'numbers in the locale of the caller: ls_format() of base/text.h writes them' \
  '(^|[^_a-zA-Z])snprintf\(.*%[-+ #0-9.*]*[aefgAEFG]' '^$'
refuse 'MPI_Abort outside comm.c' 'MPI_Abort *\(' '^src/comm/comm\.c$'
refuse 'a team of threads beside src/comm/team.c, which checks them' \
  '#pragma omp|(^|[^_a-zA-Z])num_threads *\(|(^|[^_a-zA-Z])omp_set_' '^src/comm/team\.c$'

# may MODULE "ALLOWED MODULES": includes of other modules are refused.
may() {
  local module=$1 allowed=$2 found
  found=$(find "src/$module" -name '*.[ch]' | xargs grep -nE '#include "[a-z0-9]+/' |
    grep -vE "#include \"($module|${allowed// /|})/" || true)
  [[ -z "$found" ]] || { echo "src/$module may include only: $module $allowed"; echo "$found"; bad=1; }
}
may base 'base'
may h5 'base'
may kernels 'base'
may config 'base'
may comm 'base'
may draw 'base'
may data 'base h5 comm config kernels'
may nn 'base config kernels'
may onnx 'base nn config kernels'
may store 'base h5 nn config onnx'
may optim 'base nn config'
may attack 'base nn data config'
may train 'base config kernels comm data nn store optim attack'
may eval 'base config comm data nn store optim attack train draw lockstep'
may study 'base config comm data nn kernels store train eval'

# A unit is a .c file with its header. No unit needs itself by way of others: tsort(1) names those of a circle.
circles=$(find src -name '*.[ch]' | xargs grep -oE '^#include "[^"]+\.h"' |
  sed -E 's#^src/##; s#\.[ch]:\#include "# #; s#\.h"$##' | tsort 2>&1 >/dev/null | sed 's/^tsort: //' || true)
[[ -z "$circles" ]] || { echo 'files that include each other in a circle:'; echo "$circles"; bad=1; }
exit $bad
