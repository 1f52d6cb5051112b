#!/usr/bin/env bash
# Augmentation: the same images on any ranks and threads and after a resume in the middle; each kind changes training and
# nothing else; the preview; what makes no sense is refused.
source "$(dirname "$0")/lib.sh"
toy toy 333 101
toy_config

digest() { json "$1/summary.json" 'd["weights_digest"]'; }

kinds=(rotate=10 shift=0.1 zoom=0.1 shear=10 'elastic={alpha: 20, sigma: 3}' crop_pad=2 flip=true cutout=4 erase=0.5 mixup=0.2)
run 0 "$lockstep" train toy.yaml -o plain train.epochs=1
seen=$(digest plain)
for kind in "${kinds[@]}"; do
  name=${kind%%=*}
  run 0 "$lockstep" train toy.yaml -o "$name" train.epochs=1 "data.augment.$kind"
  [[ " $seen " != *" $(digest "$name") "* ]] || fail "$kind changes nothing"
  seen+=" $(digest "$name")"
done

# All at once, on other ranks and threads, and cut at step 6.
all='data.augment={rotate: 10, shift: 0.1, zoom: 0.1, shear: 5, elastic: {alpha: 20, sigma: 3}, crop_pad: 1, flip: true, cutout: 3, erase: 0.2, mixup: 0.2}'
run 0 "$lockstep" train toy.yaml -o all "$all" checkpoint.every_steps=3 checkpoint.keep=100
ranks 3 0 "$lockstep" train toy.yaml -o all-3 "$all"
OMP_NUM_THREADS=2 ranks 2 0 "$lockstep" train toy.yaml -o all-2x2 "$all"
cp -r all all-cut
find all-cut -name 'checkpoint-*.h5' ! -name checkpoint-3.h5 ! -name checkpoint-6.h5 -delete
ranks 2 0 "$lockstep" train toy.yaml -o all-cut --resume "$all"
for other in all-3 all-2x2 all-cut; do
  [[ $(digest all) == "$(digest $other)" ]] || fail "$other has other weights"
done
run 0 "$lockstep" train toy.yaml -o seeded "$all" seed=2
[[ $(digest all) != "$(digest seeded)" ]] || fail 'the seed does not matter'

# Evaluation sees the images as they are.
run 0 "$lockstep" eval all/checkpoint-18.h5 --json
holds 'evaluation is not augmented' 'd[0]["test"]["confusion"] == d[1]["test"]["confusion"]' out all/summary.json

# Colour images.
python3 - <<'P'
import os, random
r = random.Random(3)
os.makedirs("colour", exist_ok=True)
for name, count in [(f"data_batch_{i}.bin", 40) for i in range(1, 6)] + [("test_batch.bin", 20)]:
    with open("colour/" + name, "wb") as f:
        for _ in range(count):
            f.write(bytes([r.randrange(10)]) + r.randbytes(3072))
P
colour=(data.source=colour train.epochs=1 model.layers.fc.units=10 "$all")
run 0 "$lockstep" train toy.yaml -o colour-1 "${colour[@]}"
ranks 2 0 "$lockstep" train toy.yaml -o colour-2 "${colour[@]}"
[[ $(digest colour-1) == "$(digest colour-2)" ]] || fail 'colour images differ by ranks'

sed 's/^data: .*/data: {source: toy, augment: {rotate: 20, shift: 0.1}}/' toy.yaml >augmented.yaml
run 0 "$lockstep" data preview toy --augment augmented.yaml -o sheet.png
head -c 8 sheet.png | grep -q PNG || fail 'the preview is no PNG'

for refused in rotate=181 shift=1.5 zoom=1 shear=90 'elastic={alpha: 20, sigma: 0}' erase=2 mixup=-1 rotate=nan crop_pad=0.5 flip=2; do
  run 2 "$lockstep" train toy.yaml -o refused "data.augment.$refused"
  one_error
  err_has "override 'data.augment.${refused%%=*}"
done
[[ ! -e refused ]] || fail 'a refused run leaves a folder'
finish
