#!/usr/bin/env bash
# The tests, tested. Usage: tests/mutate.sh [--seed N] [--count N] [--others] [--parallel] [--cli REGEX] [--skip REGEX]
# [--work FOLDER] FILE|FOLDER ...
#
# Changes the named files of src/ in N random places, one at a time, in a copy of the working tree, builds, and runs the
# tests that concern the file: the unit tests of its module; with --others then those of all, with --parallel those on two
# ranks, with --cli those of the command line, of the file's own words first; none whose name --skip matches. What no test
# notices is shown as a diff.
# A change that does not compile, or compiles to the same object code, does not count; what releases memory is left
# alone. Hours for hundreds of changes; no part of CI.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
exec nice -n 10 python3 "$root/tests/mutate.py" "$root" "$@"
