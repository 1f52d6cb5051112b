#!/usr/bin/env bash
# Usage: tests/soak/faults.sh [CASE ...]: every call of every fault point of the program fails once, each in a run of its
# own, on one rank and on either of two (tests/soak/walk.py has the cases). Hours; LOCKSTEP says of which build, by
# default that with AddressSanitizer.
set -eu
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export LOCKSTEP="${LOCKSTEP:-$root/build/asan/lockstep}"
LS_FAULT_EVERY=--every LS_FAULT_STRIDE=1 LS_FAULT_CASES="${*:-all}" exec bash "$root/tests/cli/test_faults.sh"
