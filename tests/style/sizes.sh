#!/usr/bin/env bash
# Sizes: a file of at most 400 lines, a folder of at most 25 files, a function of at most 60 lines and 6 parameters (a
# layer's backward pass takes what all kinds need), and no file that is too small to stand alone: a .c file has 60 lines with its header, or is a kind, a row of a table (kinds.sh).
set -euo pipefail
cd "$(dirname "$0")/../.."
most_lines=400 least_lines=60 most_files=25 most_body=60 most_parameters=6
bad=0

refuse() { echo "$1"; bad=1; }

# Small files that have no neighbour, and why.
alone='src/base/clock.c          tests link a function of their own instead
src/base/bfloat16.c       a type of numbers
src/base/quantile.c       one function, for several modules
src/cli/process/processor.c  is compiled for any processor (src/CMakeLists.txt)
src/config/keys/run.c         a section of keys
src/config/keys/checkpoint.c  a section of keys
src/config/keys/ensemble.c    a section of keys
src/h5/guarded_read.c     one function: which files a child process reads first
src/kernels/normalize.c   one kernel
src/kernels/set_avx2.c    a kernel set
src/kernels/set_built.c   a kernel set
src/optim/ema.c           one formula
src/optim/kinds.c         the registries'

lines_of() { if [[ -f $1 ]]; then wc -l <"$1"; else echo 0; fi; }
is_kind() { grep -qE '^const ls_[a-z_]+ ls_[a-z0-9_]+ =' "$1"; }

while IFS= read -r file; do
  lines=$(lines_of "$file")
  if [[ $lines -gt $most_lines ]]; then
    refuse "$file: $lines lines, at most $most_lines: cut it by what its parts are for"
  fi
  [[ $file == *.c ]] && ! is_kind "$file" && ! grep -q "^$file " <<<"$alone" || continue
  lines=$((lines + $(lines_of "${file%.c}.h")))
  if [[ $lines -lt $least_lines ]]; then
    refuse "$file: $lines lines with its header, at least $least_lines: move it to the file that it belongs to, or say in ${0##*/} why it stands alone"
  fi
done < <(find src include -name '*.[ch]' | sort)

while read -r file _; do
  [[ -f $file ]] || refuse "${0##*/}: there is no $file"
done <<<"$alone"

while IFS= read -r folder; do
  count=$(find "$folder" -maxdepth 1 -type f | wc -l)
  if [[ $count -gt $most_files ]]; then
    refuse "$folder: $count files, at most $most_files: those that serve one purpose get a folder"
  fi
done < <(find src include -type d | sort)

# Bodies begin and end in the first column (format.sh).
long=$(find src -name '*.[ch]' -print0 | sort -z | xargs -0 awk -v most="$most_body" '
  FNR == 1 {first = 0}
  /^{$/ {first = FNR}
  /^}/ && first {
    lines = FNR - first + 1
    if (lines > most) print FILENAME ":" first ": a function of " lines " lines, at most " most ": give its parts names"
    first = 0
  }')
[[ -z "$long" ]] || refuse "$long"

# Heads stand between an empty line or a comment and the body. Commas of a parameter's own parameters do not count.
wide=$(find src -name '*.[ch]' -print0 | sort -z | xargs -0 awk -v most="$most_parameters" '
  /^$|^}|^#|\*\/$/ {head = ""; next}
  /^{$/ {
    backward = head ~ /backward\(const ls_layer \*layer, const ls_pass \*pass, const float \*x, const float \*y,/
    sub(/^[^(]*\(/, "", head)
    sub(/\) *$/, "", head)
    while (gsub(/\([^()]*\)/, "", head)) {}
    count = gsub(/,/, "", head) + 1
    if (count > most && !backward)
      print FILENAME ":" FNR ": a function of " count " parameters, at most " most ": those that belong together are a struct"
    head = ""
  }
  {sub(/^ +/, ""); head = head $0 " "}')
[[ -z "$wide" ]] || refuse "$wide"
exit $bad
