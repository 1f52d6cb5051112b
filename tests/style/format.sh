#!/usr/bin/env bash
# Every C file is as .clang-format wants it.
set -euo pipefail
cd "$(dirname "$0")/../.."
find src include tests -name '*.[ch]' -print0 | xargs -0 clang-format --dry-run --Werror
