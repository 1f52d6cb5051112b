#!/usr/bin/env bash
# A result that cannot be printed is an error: standard output is on a full disk, or closed.
source "$(dirname "$0")/lib.sh"
toy toy 120 20
toy_config
run 0 "$lockstep" train toy.yaml -o whole train.epochs=1
picture picture.png

for command in "eval whole/best.h5" "eval whole/best.h5 --json" "predict whole/best.h5 picture.png" \
  "predict whole/best.h5 picture.png --json" "data info toy" "data preview toy -o a.png" "inspect whole/best.h5" \
  "inspect whole/best.h5 --config" "train toy.yaml --dry-run" "train --help-config" "doctor" "--help" "--version" \
  "attack whole/best.h5 --method fgsm --epsilon 0.1" "data import toy -o b.h5 --force" "bench toy.yaml" \
  "train toy.yaml -o full" "eval --help" "train --help" "data --help"; do
  rm -rf full
  # shellcheck disable=SC2086
  for sink in /dev/full closed; do
    last="$command, standard output $sink"
    if [[ $sink == closed ]]; then
      timeout -k 5 "$hang_s" "$lockstep" $command >&- 2>err
    else
      timeout -k 5 "$hang_s" "$lockstep" $command >/dev/full 2>err
    fi
    status=$?
    rm -rf full
    [[ $status -eq 1 ]] || { fail "'$last' ended with $status, not 1"; cat err; }
    err_has '^lockstep: input/output error: cannot write to standard output: (No space left on device|Bad file descriptor)$'
  done
done
finish
