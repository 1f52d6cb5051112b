#!/usr/bin/env bash
# What names from outside hold is shown, and not obeyed by a terminal: class names, paths, layer names, values.
source "$(dirname "$0")/lib.sh"

cat >check.py <<'P'
import sys
def bad(c):
    code = ord(c)
    return (code < 32 and c not in allowed) or 0x7f <= code < 0xa0 or code in (0x61c, 0x200e, 0x200f, 0xfeff) or \
        0x2028 <= code <= 0x202e or 0x2060 <= code <= 0x206f
allowed = sys.argv[1].encode().decode("unicode_escape")
for path in sys.argv[2:]:
    data = open(path, "rb").read()
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as e:
        sys.exit(f"{path}: {e}")
    found = sorted({hex(ord(c)) for c in text if bad(c)})
    if found:
        sys.exit(f"{path}: {found} in {text!r}")
P

# shown PATTERN: nothing of the last output drives a terminal; what the name held stands there, escaped.
shown() {
  python3 check.py '\n' out err || fail "'$last' prints what a terminal obeys"
  grep -qE -- "$1" out err || { fail "'$last' does not show: $1"; tail -n 20 out err; }
}

# A name of each kind: ESC, C1 in UTF-8, bidi, a byte that is no UTF-8, a line of our own.
evil=$'a\e]0;t\ab' c1=$'c1\u009b31m' bidi=$'bidi\u202etxt' bytes=$'bytes\xff\x9b' line=$'line\nlockstep: done'
escaped='a\\x1b\]0;t\\x07b'

# CIFAR-10's format has names of classes.
python3 - "$evil" "$c1" "$bidi" "$bytes" <<'P'
import os, random, sys
os.makedirs("plain")
r = random.Random(1)
for name, count in ("data_batch_1.bin", 60), ("test_batch.bin", 20):
    with open(f"plain/{name}", "wb") as f:
        for i in range(count):
            f.write(bytes([i % 10]) + bytes(min(255, 20 * (i % 10) + r.randrange(40)) for _ in range(3072)))
with open("plain/batches.meta.txt", "wb") as f:
    f.write(b"\n".join([os.fsencode(name) for name in sys.argv[1:]] + [b"%d" % i for i in range(4, 10)]) + b"\n")
P
run 0 "$lockstep" data info plain
shown "$escaped"
sed -i "1s/.*/$c1$bidi/" plain/batches.meta.txt # HDF5's reader refuses ESC in a name, and passes on the others
run 0 "$lockstep" data import plain -o "evil$evil.h5"
shown "evil$escaped.h5: 60 train"
mv evil*.h5 evil.h5
cat >net.yaml <<Y
name: net
data: {source: evil.h5, validation: 20}
model:
  layers:
    - {type: avgpool, size: 8}
    - {type: flatten}
    - {type: dense, name: fc, units: 10}
train: {epochs: 1, batch: 20, microbatch: 10, optimizer: {type: sgd, lr: 0.01}}
Y

run 0 "$lockstep" data info evil.h5
shown 'c1\\u009b31mbidi\\u202etxt'
shown 'bytes\\xff\\x9b'
run 0 "$lockstep" data info evil.h5 --json
shown '"c1\\u009b31m"'
holds 'a name is exact in JSON' 'd[0]["class_names"][1:3] == ["c1\u009b31m", "bidi\u202etxt"]' out
run 0 "$lockstep" data preview evil.h5 -o "sheet$evil.png"
shown "sheet$escaped"

run 2 "$lockstep" train net.yaml "model.layers.fc.name='$bidi'"
shown "found 'bidi\\\\u202etxt'"
run 0 "$lockstep" train net.yaml -o "run$evil$bidi"
shown "results in run${escaped}bidi"
shown 'bytes\\xff'
run 0 "$lockstep" train net.yaml -o "run$line"
shown 'run directory: runline\\nlockstep'
run 0 "$lockstep" train net.yaml -o "run$line" --resume train.epochs=2
shown 'resuming from runline\\nlockstep'
run 0 "$lockstep" train net.yaml -o "run$bytes"
shown 'results in runbytes\\xff\\x9b'
run 0 "$lockstep" train net.yaml -o "ensemble$evil" ensemble.members=2
shown "ensemble$escaped/member-1"
best="run$evil$bidi/best.h5"
run 0 "$lockstep" eval "$best"
shown 'true .*\\u202etxt|c1\\u009b31m'
run 0 "$lockstep" eval "$best" --json
shown '\\u202e'
run 0 "$lockstep" eval "$best" "run$bytes/best.h5"
shown 'runbytes\\xff\\x9b/best.h5'
run 0 "$lockstep" eval "$best" "run$bytes/best.h5" --json
shown 'runbytes\\\\xff\\\\x9b/best.h5'
run 0 "$lockstep" inspect "$best"
shown "$escaped"
run 0 "$lockstep" inspect "$best" --config
shown '^name: net$'
run 0 "$lockstep" inspect evil.h5
shown 'class_names'
run 0 "$lockstep" bench net.yaml --seconds 0.2
shown 'fc'
run 0 "$lockstep" attack "$best" --method fgsm --epsilon 0.1 -o "attack$evil"
shown "figures and examples in attack$escaped"
run 0 "$lockstep" attack "$best" --method fgsm --epsilon 0.1 --json -o "attack$bytes"
shown '"checkpoint"'
cp "sheet$evil.png" "picture$bytes.png"
cp evil.h5 "no$c1.png"
run 1 "$lockstep" predict "$best" "picture$bytes.png" "no$c1.png" "missing$line.png"
shown 'picturebytes\\xff\\x9b.png: '
shown 'noc1\\u009b31m.png'
shown 'missingline\\nlockstep: done.png'
run 1 "$lockstep" predict "$best" "picture$bytes.png" "no$c1.png" --json
shown 'picturebytes'
SLURM_JOB_ID=$evil SLURM_JOB_NODELIST=$bidi SLURM_NTASKS=1 OMPI_COMM_WORLD_SIZE= run 0 "$lockstep" doctor
shown 'MPI'

# Errors: files, arguments, values, keys, a configuration in a checkpoint.
run 2 "$lockstep" eval "missing$evil$line.h5"
shown "missing$escaped"
one_error
run 2 "$lockstep" "word$evil"
shown "word$escaped"
run 2 "$lockstep" train net.yaml "--option$evil"
shown "option$escaped"
run 2 "$lockstep" train net.yaml "no-override$line"
shown 'no-overrideline\\nlockstep: done'
run 2 "$lockstep" train net.yaml "data.source=$bytes"
shown 'not UTF-8|bytes\\xff'
run 2 "$lockstep" train net.yaml "data.source='missing$bidi'"
shown 'missingbidi\\u202etxt'
printf 'name: "a\\e[2J"\ntrain: {"b\\u009b": 1}\nmodel: {layers: [{type: relu}]}\n' >bad.yaml
run 2 "$lockstep" train bad.yaml
shown 'bad.yaml:'
printf 'train: {"b\\u009b\\e[2J\\n": 1}\nmodel: {layers: [{type: "r\\u2066lu"}]}\n' >bad.yaml
run 2 "$lockstep" train bad.yaml
shown "b\\\\u009b\\\\x1b\[2J"

# On a terminal, where bars are drawn.
run 0 python3 -c 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))' \
  "$lockstep" train net.yaml -o "terminal$evil$c1" </dev/null
python3 check.py '\r\n' out || fail "on a terminal, training prints what it obeys"
out_has '\] +100 %|\[=+'
out_has 'terminala\\x1b'
finish
