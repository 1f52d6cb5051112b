#!/usr/bin/env bash
# Copies of code: runs of tokens that functions have in common but for the names of variables and the contents of numbers
# and texts. sim_c finds them in the bodies of functions; tables, declarations and includes repeat each other on purpose.
set -euo pipefail
cd "$(dirname "$0")/../.."
tokens=75 # three nested loops have 73
command -v sim_c >/dev/null || { echo 'SKIPPED: no sim_c (similarity-tester)'; exit 77; }

# Pairs of files that may have a run in common, and why.
allowed='src/nn/conv/winograd.c src/nn/conv/winograd.c: a transform and its adjoint'

bodies=$(mktemp -d)
trap 'rm -rf "$bodies"' EXIT
mapfile -t files < <(find src -name '*.[ch]' | sort)
for file in "${files[@]}"; do
  mkdir -p "$bodies/${file%/*}"
  # Bodies begin and end in the first column (format.sh); other lines are blank, so that numbers of lines stay right.
  awk '/^{$/ {on = 1} {print on ? $0 : ""} /^}/ {on = 0}' "$file" >"$bodies/$file"
done
found=$(cd "$bodies" && sim_c -r $tokens -F -n -w 200 "${files[@]}" | sed -nE \
  's/^(src[^:]*): line ([0-9-]+) *\|(src[^:]*): line ([0-9-]+) *\[([0-9]+)\]$/\1 \3: lines \2 and \4, \5 tokens/p')

bad=0
while IFS= read -r pair; do # found as well: the list stays short, and sim_c finds something
  grep -qF "${pair%%:*}:" <<<"$found" || { echo "${0##*/}: '${pair%%:*}' need not be allowed any more"; bad=1; }
done <<<"$allowed"
found=$(grep -vF "$(sed 's/:.*/:/' <<<"$allowed")" <<<"$found" || true)
[[ -z "$found" ]] || {
  echo "code that stands twice: make one function of it, or say in ${0##*/} why not"
  echo "$found"
  bad=1
}
exit $bad
