#!/usr/bin/env bash
# The watchdog's test under ThreadSanitizer: the thread that watches and those that work share no memory without order.
# Built here by gcc: OpenMP's and MPI's own threads, which it does not know, take no part.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mapfile -t libraries < <(pkg-config --cflags --libs ompi-c libxxhash cmocka | tr -s ' ' '\n')
gcc -fsanitize=thread -x c - -o "$folder/empty" <<<'int main(void) { return 0; }' ||
  { echo 'SKIPPED: gcc has no ThreadSanitizer here'; exit 77; }
gcc -std=c17 -O1 -g -fsanitize=thread -fopenmp -D_GNU_SOURCE -DLS_VERSION='"0"' -Isrc -Itests \
  src/base/*.c src/base/files/*.c src/comm/*.c src/comm/placement/*.c src/train/watchdog/*.c tests/unit/train/test_watchdog.c \
  -Wl,--wrap=ls_clock_s,--wrap=pthread_cond_timedwait \
  -Wl,--wrap=pthread_mutex_init,--wrap=pthread_mutex_lock,--wrap=pthread_mutex_unlock \
  "${libraries[@]}" -lm -o "$folder/watchdog"
timeout --verbose -k 5 300 "$folder/watchdog"
