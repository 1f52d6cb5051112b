#!/usr/bin/env bash
# Every command line of the README does what it says, on small data under the names that it uses.
source "$(dirname "$0")/lib.sh"
python3 "$root/tests/cli/stand_ins.py" stand-ins 1100 5300 100
mkdir bin data
ln -s "$lockstep" bin/lockstep
ln -s "$root/configs" "$root/jobs" "$root/tests" .
cp "$root/data/fetch.sh" data/
picture scan.png
cp scan.png photo.png
export PATH=$work/bin:$PATH LOCKSTEP_DATA_PATH=$work/stand-ins
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_mpi_yield_when_idle=1
run 0 "$lockstep" train configs/lenet5.yaml train.epochs=0 -o elsewhere
run 0 "$lockstep" export elsewhere -o elsewhere.safetensors
python3 "$root/tests/cli/torch_zip.py" elsewhere.safetensors model.pt # as PyTorch would save it
snippet 'Several labels, and regression' stripes datasets.py
/usr/bin/python3 datasets.py || fail "the datasets of several labels and of numbers" # whose h5py is the distribution's
python3 "$root/tests/cli/commands.py" "$(dirname "$lockstep")" || fail "a command of the README" # with a limit for each
finish
