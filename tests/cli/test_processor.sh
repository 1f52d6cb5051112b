# On a processor older than the build's, one line in words instead of SIGILL.
source "$(dirname "$0")/lib.sh"
command -v qemu-x86_64 >/dev/null || { echo "SKIPPED: no qemu-x86_64 (qemu-user)"; exit 77; }
[[ $(uname -m) == x86_64 ]] || { echo "SKIPPED: another architecture"; exit 77; }
grep -q '^LS_NATIVE:BOOL=ON' "$(dirname "$lockstep")/CMakeCache.txt" || { echo "SKIPPED: a build for any processor"; exit 77; }
grep -qw ssse3 /proc/cpuinfo || { echo "SKIPPED: this processor is as old as the emulated one"; exit 77; }
for words in --version "doctor --json" "train missing.yaml"; do
  # shellcheck disable=SC2086
  run 2 qemu-x86_64 -cpu kvm64 "$lockstep" $words
  err_has '^lockstep: usage error: this program was built for a newer processor, one with ssse3, than that of host .*-DLS_NATIVE=OFF'
done
finish
