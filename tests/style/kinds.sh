#!/usr/bin/env bash
# Kinds (layers, losses, attacks, ...) are rows of registries: no file but a kind's own knows it.
set -euo pipefail
cd "$(dirname "$0")/../.."
bad=0

# refuse WHAT FOUND: FOUND are lines that should not be.
refuse() {
  [[ -z "$2" ]] || { echo "$1:"; echo "$2"; bad=1; }
}
lines() { # lines PATTERN EXCEPT: what matches in src/, but not in files or lines that EXCEPT matches
  grep -rnE "$1" src --include='*.[ch]' | grep -vE "$2" || true
}

# LIST FILE PREFIX: the macro that lists a family, where it is, and what its rows are called.
while read -r list file prefix; do
  names=$(awk -v start="#define $list(X)" 'index($0, start) == 1 {on = 1} on {print; if ($0 !~ /\\$/) exit}' "$file" |
    grep -oE 'X\([a-z0-9_]+\)' | tr -d 'X()') || true
  [[ -n "$names" ]] || { echo "$file has no $list"; bad=1; }
  for name in $names; do
    own=$(grep -rlE "^(const [a-z_]+ ls_${prefix}_$name( =|;)|[A-Z]+\($name,)" src --include='*.c' | head -n 1) || true
    [[ -n "$own" ]] || { echo "no file has ls_${prefix}_$name, which $file lists"; bad=1; continue; }
    refuse "ls_${prefix}_$name outside $own" "$(lines "(^|[^_a-zA-Z0-9])ls_${prefix}_$name([^_a-zA-Z0-9]|\$)" "^$own:")"
    # The views of images in an evaluation have words of their own.
    refuse "a comparison with '$name' outside $own" \
      "$(lines "str[a-z]*cmp *\([^;]*\"$name\"" "^($own|src/cli/cmd_eval\.c):")"
  done
done <<'T'
LS_LAYER_LIST src/nn/kinds.h layer
LS_LOSS_LIST src/nn/kinds.h loss
LS_ATTACK_LIST src/attack/kinds.h attack
LS_AUGMENT_LIST src/data/kinds.h augment
LS_READER_LIST src/data/kinds.h reader
LS_OPTIMIZER_LIST src/optim/kinds.h optimizer
LS_SCHEDULE_LIST src/optim/kinds.h schedule
LS_COMMAND_LIST src/cli/command.h command
LS_DATA_COMMAND_LIST src/cli/data/data_command.h data
T
refuse 'branching on a kind' "$(lines '(->|\.)kind *[!=]=' '^$')"
refuse 'a kind distinguished by its schema outside a registry' \
  "$(lines 'schema *[!=]=|schema(->|\.)name[^;,)]*[,)][^;]*== 0' \
    '^src/(nn/(graph/build|graph/wire|loss)|optim/(optimizer|schedule)|attack/attack|data/augment/augment|config/[a-z_/]+|train/run/resume)\.c:|!= NULL')"
refuse 'a type of key outside src/config' "$(lines '[!=]= *LS_KEY_' '^src/config/')"
refuse 'branching on a type' \
  "$(lines '(->|\.)type *[!=]=' '[!=]= *(YAML|LS_H5|H5L_TYPE|LS_KEY|LS_FIELD)_|^src/data/readers/idx_files\.c:')"
refuse 'a launcher outside its table' "$(lines '[!=]= *LS_LAUNCHER_' '^src/comm/placement/launcher\.c:')"
refuse 'a switch: rows of a table' "$(lines '(^|[^_a-zA-Z])switch *\(' '^src/base/show\.c:')"
exit $bad
