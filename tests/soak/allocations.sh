#!/usr/bin/env bash
# Usage: tests/soak/allocations.sh [CASE ...]: every allocation of the program fails once, each in a run of its own
# (tests/soak/walk.py has the cases). An hour or so.
set -eu
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export LOCKSTEP="${LOCKSTEP:-$root/build/release/lockstep}"
LS_ALLOC_STRIDE=1 LS_ALLOC_CASES="${*:-all}" exec bash "$root/tests/cli/test_allocations.sh"
