#!/usr/bin/env bash
# Trains, interrupts or damages the run at random moments, resumes it, and compares its end with the uninterrupted run's: chaos.py,
# in a temporary folder that is kept when something fails. The disk to be filled is a tmpfs, which needs root.
#
#   bash tests/chaos/run.sh [--kills N] [--seed S]      default: every kind of injury once
chaos=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../cli/lib.sh
source "$chaos/../cli/lib.sh"

# The processes of our jobs carry this folder in their environment, also when nothing holds them any more.
clean_up() {
  local status=$? environ
  [[ -z "${hurting:-}" ]] || kill -KILL "$hurting" 2>/dev/null
  for environ in $(grep -lsz "^TMPDIR=$work/tmp$" /proc/[0-9]*/environ); do
    kill -KILL "$(basename "$(dirname "$environ")")" 2>/dev/null
  done
  [[ $status -eq 0 ]] || cp -a disk kept
  if mountpoint -q disk; then umount disk || umount -l disk; fi
  if [[ $status -eq 0 || -z "$(ls log)" ]]; then
    rm -rf --one-file-system "$work"
  else
    echo "run directory: $work/kept; logs: $work/log"
  fi
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

mkdir disk log tmp
[[ $EUID -ne 0 ]] || mount -t tmpfs -o size=4m tmpfs disk 2>/dev/null
toy toy 1000 200
cat >chaos.yaml <<'Y'
name: chaos
data: {source: toy, validation: 0.2}
model:
  layers:
    - {type: conv, name: conv1, filters: 5, kernel: 3}
    - {type: batchnorm}
    - {type: relu}
    - {type: maxpool, size: 2}
    - {type: flatten}
    - {type: dense, name: fc1, units: 200}
    - {type: relu}
    - {type: dropout, rate: 0.3}
    - {type: dense, name: fc2, units: 4}
train:
  batch: 40
  microbatch: 8
  label_smoothing: 0.1
  optimizer: {type: adam}
  schedule: {type: onecycle, max_lr: 0.005}
checkpoint: {every_steps: 3}
Y

# In the background, so that a signal to this shell is served at once.
python3 "$chaos/chaos.py" "$@" "$lockstep" "$root/tests/mpirun.sh" &
hurting=$!
wait "$hurting"
status=$?
hurting=
exit "$status"
