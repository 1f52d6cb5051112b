#!/usr/bin/env bash
# Bad usage, configuration and input: status 2, one clear message, nothing of an earlier run damaged.
source "$(dirname "$0")/lib.sh"
toy toy 60 20
toy_config
run 0 "$lockstep" train toy.yaml -o good
before=$(cat good/* | md5sum)

refused() { # refused PATTERN ARG...
  local pattern=$1
  shift
  run 2 "$lockstep" "$@"
  one_error
  err_has "$pattern"
}
refused "no command 'trian'" trian
refused 'no configuration given' train
refused 'cannot open .missing.yaml' train missing.yaml
refused 'already holds a run; --resume' train toy.yaml -o good
refused 'train.epocs' train toy.yaml train.epocs=3
refused 'train.epochs.*3\.7' train toy.yaml train.epochs=3.7
refused 'train.batch' train toy.yaml 'train.batch=12 apples'
refused 'train.optimizer.lr' train toy.yaml train.optimizer.lr=1,5
refused 'train.optimizer.lr' train toy.yaml train.optimizer.lr=nan
refused 'toy.yaml:10:7.*units|last layer|classes' train toy.yaml model.layers.fc.units=5
refused 'no override' train toy.yaml good
refused "option '--augment' requires an argument: CONFIG$" data preview toy --augment
refused "option '--split' requires an argument: SPLIT$" eval good --split
refused "option requires an argument -- 'o': RUN_DIR$" train toy.yaml -o
refused "option '--data' requires an argument: [A-Z]+$" eval good --data
refused "override 'train.optimizer.*nesterov" train toy.yaml 'train.optimizer={type: sgd, nesterov: true}'
sed 's/momentum: 0.9/nesterov: true/' toy.yaml >nest.yaml
refused 'nest.yaml:15:[0-9]+: train.optimizer: sgd: nesterov' train nest.yaml

sed 's/kernel: 3/kernel: 30/' toy.yaml >wide.yaml
refused 'wide.yaml:5:[0-9]+.*kernel' train wide.yaml
sed 's/filters: 5/filtres: 5/' toy.yaml >unknown.yaml
refused 'unknown.yaml:5:[0-9]+.*filtres' train unknown.yaml
sed 's/type: relu/type: rleu/' toy.yaml >kind.yaml
refused 'kind.yaml:7:[0-9]+.*rleu' train kind.yaml
sed '/type: flatten/d' toy.yaml >flat.yaml
refused 'flat.yaml:9:[0-9]+.*flatten' train flat.yaml
echo 'name: twice' >>toy-twice.yaml
cat toy.yaml >>toy-twice.yaml
refused 'toy-twice.yaml:2:[0-9]+.*name' train toy-twice.yaml
printf 'name: [\n' >broken.yaml
refused 'broken.yaml:' train broken.yaml

refused 'data.source.*nowhere' train toy.yaml data.source=nowhere
mkdir -p empty
refused 'empty' train toy.yaml data.source=./empty
spoil() { # spoil NAME PYTHON: a copy of the toy dataset, its plain label file or image bytes changed
  rm -rf "$1"
  cp -r toy "$1"
  gunzip "$1"/*.gz
  python3 -c "
import sys
name = '$1/' + sys.argv[1]
b = bytearray(open(name, 'rb').read())
$3
open(name, 'wb').write(b)" "$2"
}
spoil short train-images-idx3-ubyte 'b = b[:-1]'
refused 'short/train-images' train toy.yaml data.source=short
spoil long train-images-idx3-ubyte 'b += b"x"'
refused 'long/train-images' train toy.yaml data.source=long
spoil lying train-images-idx3-ubyte 'b[4:8] = b"\xff\xff\xff\xff"'
refused 'lying/train-images' train toy.yaml data.source=lying
spoil counts train-labels-idx1-ubyte 'b = b[:-1]; b[7] -= 1'
refused 'counts/' train toy.yaml data.source=counts
spoil label train-labels-idx1-ubyte 'b[20] = 9'
refused 'label/train-labels.* 9' train toy.yaml data.source=label data.classes=4
spoil magic t10k-images-idx3-ubyte 'b[2] = 9'
refused 'magic/t10k-images' train toy.yaml data.source=magic
cp -r toy torn
truncate -s -20 torn/train-images-idx3-ubyte.gz
refused 'torn/train-images' train toy.yaml data.source=torn

refused 'no checkpoint|cannot open|missing.h5' eval missing.h5
echo junk >junk.h5
refused 'junk.h5' eval junk.h5
refused 'junk.h5' inspect junk.h5
refused 'no file given' inspect
refused 'one too many' inspect a.h5 b.h5
refused 'no checkpoint given' eval
refused '--split' eval a.h5 --split none
refused 'unrecognized|unknown' train toy.yaml --nonsense
refused 'seed' train toy.yaml -o good --resume seed=2
refused 'data.validation' train toy.yaml -o good --resume data.validation=0.5
refused 'model.layers' train toy.yaml -o good --resume 'model.layers[0].filters=6'
refused 'train.optimizer' train toy.yaml -o good --resume 'train.optimizer={type: adam}'
refused 'train.epochs: 1, but' train toy.yaml -o good --resume train.epochs=1
refused 'lockstep train --resume -o good' train good --resume
refused 'empty text' train toy.yaml -o ''
mkfifo pipe
refused 'pipe.*not a regular file' train pipe
refused 'pipe.*no regular file' data preview toy -o pipe
refused 'pipe.*no regular file' data import toy -o pipe
refused 'empty text' data import toy -o ''
refused 'data.classes' train toy.yaml data.classes=70000
run 0 "$lockstep" train toy.yaml -o open data.validation=0 train.epochs=1
refused 'data.validation is 0.*--split test' eval "$(ls open/checkpoint-*.h5 | head -n 1)" --split validation
refused 'data.validation.*less than one sample' train toy.yaml data.validation=0.001
for dry in --dry-run '-o none'; do
  refused "data.validation: 60 samples to hold out of 60 training samples" train toy.yaml data.validation=60 $dry
done
[[ ! -e none ]] || fail 'a refused run left a folder'
mkdir 'g[1]' && touch 'g[1]/best.h5'
refused 'already holds a run' train toy.yaml -o 'g[1]'

# The same on several ranks: one message, no hang.
ranks 3 2 "$lockstep" train toy.yaml data.source=short -o never
[[ $(grep -c '^lockstep:' err) -eq 1 ]] || { fail "not one message on three ranks"; cat err; }
[[ ! -e never ]] || fail "a refused run left a folder"

[[ "$before" == "$(cat good/* | md5sum)" ]] || fail "the earlier run was changed"
finish
