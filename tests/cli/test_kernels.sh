# Where the system gives no executable memory, or libxsmm has no kernels for the processor, kernels of our own give
# the same result; and say so.
source "$(dirname "$0")/lib.sh"
allocations=$(preloaded allocations)
[[ -e $allocations ]] || { echo "SKIPPED: the sanitizers take no library before them"; exit 77; }
"$lockstep" doctor --json >doctor.json
[[ $(json doctor.json 'd["gemm"]') == libxsmm* ]] || { echo "SKIPPED: built without libxsmm"; exit 77; }
grep -qw avx2 /proc/cpuinfo || { echo "SKIPPED: a processor without AVX2, where tiles and libxsmm differ in bits"; exit 77; }

# Layers of every kind of product: panels, rows left over, Winograd's and the direct way, strides.
toy toy 120 40
cat >toy.yaml <<'Y'
name: toy
data: {source: toy}
model:
  layers:
    - {type: conv, filters: 19, kernel: 3, pad: 1}
    - {type: relu}
    - {type: conv, filters: 24, kernel: 5, pad: 2}
    - {type: maxpool, size: 2}
    - {type: conv, filters: 32, kernel: 3, pad: 1}
    - {type: conv, filters: 16, kernel: 3, pad: 1}
    - {type: conv, filters: 21, kernel: 3, stride: 2}
    - {type: flatten}
    - {type: dense, units: 45}
    - {type: dense, units: 4}
train: {epochs: 2, batch: 40, microbatch: 10, optimizer: {type: sgd, lr: 0.01}}
Y

# trains NAME COMMAND...: the weights of a run, in NAME.json.
trains() {
  local name=$1
  shift
  run 0 "$@" "$lockstep" train toy.yaml -o "$name"
  cp "$name/summary.json" "$name.json"
}
same() { holds "$1 as with libxsmm" 'd[0]["weights_digest"] == d[1]["weights_digest"]' jit.json "$1.json"; }

trains jit env LIBXSMM_TARGET=hsw # with AVX-512 it sums in another order
out_has 'libxsmm .*\(hsw\)'
trains denied env LD_PRELOAD="$allocations" LS_DENY_EXECUTION=1
out_has 'register tiles: the system gives no executable memory'
same denied
trains generic env LIBXSMM_TARGET=generic
out_has 'register tiles: libxsmm has no kernels for this processor'
same generic
run 0 env LD_PRELOAD="$allocations" LS_DENY_EXECUTION=1 "$lockstep" doctor
out_has '^warning: matrix products run on slower kernels: the system gives no executable memory'

# The kernel's own denial (PR_SET_MDWE, Linux 6.3; what systemd's MemoryDenyWriteExecute asks for).
cat >mdwe.py <<'P'
import ctypes, os, sys
if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0) != 0:
    sys.exit(77)
os.execvp(sys.argv[1], sys.argv[1:])
P
if python3 mdwe.py true; then
  trains mdwe python3 mdwe.py
  out_has 'register tiles: the system gives no executable memory'
  same mdwe
else
  echo "this kernel has no PR_SET_MDWE"
fi
finish
