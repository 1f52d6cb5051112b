#!/usr/bin/env bash
# data/fetch.sh: from a mirror in a folder; what is checked, what is refused, and that nothing half-done stays.
source "$(dirname "$0")/lib.sh"
mkdir data
cp "$root/data/fetch.sh" data/
fetch=data/fetch.sh

left() { # left NAME...: these stand in data/, and nothing else
  local found
  found=$(ls -A data | grep -vx fetch.sh | tr '\n' ' ')
  [[ "${found% }" == "$*" ]] || fail "data/ holds '$found', not '$*'"
}

run 0 bash $fetch --list
for name in mnist fashion-mnist kmnist emnist emnist-balanced emnist-letters cifar10; do out_has "^$name\$"; done
run 2 "$lockstep" data info emnist
err_has "'emnist' is the folder of several datasets; choose one of them: emnist-balanced, .*emnist-mnist$"
run 2 bash $fetch
run 2 bash $fetch imagenet
err_has "'imagenet' is not in the catalogue: mnist"
run 2 env LOCKSTEP_MIRROR=nowhere bash $fetch mnist
err_has "there is no folder 'nowhere'"

mkdir -p mirror/fashion-mnist
export LOCKSTEP_MIRROR=$work/mirror
run 1 bash $fetch fashion-mnist
err_has 'cannot get fashion-mnist from'
left

debian=/usr/share/datasets/fashion-mnist
if [[ -d $debian ]]; then
  cp $debian/*.gz mirror/fashion-mnist
  gunzip mirror/fashion-mnist/t10k-labels-idx1-ubyte.gz # plain files do as well
  run 0 bash $fetch fashion-mnist
  out_has 't10k-labels-idx1-ubyte: SHA-256 of the contents is right'
  left fashion-mnist
  run 0 env LOCKSTEP_DATA_PATH="$work/data" "$lockstep" data info fashion-mnist
  out_has 'Ankle boot +6000 +1000'
  run 0 env LOCKSTEP_MIRROR=/nowhere bash $fetch fashion-mnist
  out_has 'already'

  rm -r data/fashion-mnist
  printf 'x' | dd of=mirror/fashion-mnist/t10k-labels-idx1-ubyte bs=1 seek=100 conv=notrunc 2>/dev/null
  run 1 bash $fetch fashion-mnist
  err_has 'fashion-mnist/t10k-labels-idx1-ubyte: SHA-256 of the contents is [0-9a-f]{64}, expected 0402a96d'
  left
  rm mirror/fashion-mnist/t10k-labels-idx1-ubyte
  head -c 2000 $debian/t10k-labels-idx1-ubyte.gz >mirror/fashion-mnist/t10k-labels-idx1-ubyte.gz
  run 1 bash $fetch fashion-mnist
  err_has 'the gzip data are damaged'
  left
fi

# Loose CIFAR-10 batches: no sums are published for them, and that is said.
mkdir mirror/cifar10
python3 -c 'import sys; sys.stdout.buffer.write(bytes(3073 * 2))' >mirror/cifar10/test_batch.bin
gzip <mirror/cifar10/test_batch.bin >mirror/cifar10/data_batch_1.bin.gz
run 0 bash $fetch cifar10
out_has 'data_batch_1.bin.gz: no published SHA-256 of the contents known; it is [0-9a-f]{64}: pin it'
out_has 'the mirror has 1 of the 5 training batches'
run 0 env LOCKSTEP_DATA_PATH="$work/data" "$lockstep" data info cifar10
out_has 'airplane +2 +2'
finish
