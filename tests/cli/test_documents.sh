#!/usr/bin/env bash
# What the documents say is so: files, keys, options, lists of kinds, parameters and epochs; and what comments name is there.
source "$(dirname "$0")/lib.sh"
python3 "$root/tests/cli/stand_ins.py" stand-ins 100 100 50
export LOCKSTEP_DATA_PATH=$work/stand-ins
run 0 python3 "$root/tests/cli/documents.py" "$lockstep"
cat out
finish
