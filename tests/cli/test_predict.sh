#!/usr/bin/env bash
# Pictures: many at once, the corrupt ones reported, the others classified; as text and as JSON. What they are turned into
# is what the network's data were made of.
source "$(dirname "$0")/lib.sh"
toy toy 300 60
toy_config
run 0 "$lockstep" train toy.yaml -o net
net=$(ls -v net/checkpoint-*.h5 | tail -n 1)

# A picture for each of the toy's classes: a bright quarter of a dark square. In grey, and in colour, twice as large.
python3 - <<'P'
import struct, zlib
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
def png(path, side, colour_type, pixel):
    rows = b"".join(b"\0" + b"".join(pixel(x, y) for x in range(side)) for y in range(side))
    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, colour_type, 0, 0, 0)) +
                chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
for k in range(4):
    def inside(x, y, half):
        return x // half == k % 2 and y // half == k // 2
    png(f"grey-{k}.png", 12, 0, lambda x, y: bytes([150 if inside(x, y, 6) else 40]))
    png(f"colour-{k}.png", 24, 2, lambda x, y: bytes([150] * 3 if inside(x, y, 12) else [40] * 3))
P
echo 'no picture' >bad.png
head -c 60 grey-0.png >cut.png

run 0 "$lockstep" predict "$net" --raw grey-0.png grey-1.png grey-2.png grey-3.png colour-0.png colour-3.png
for k in 0 1 2 3; do out_has "^grey-$k\.png: $k, .*%; next [0-9], "; done
out_has '^colour-0\.png: 0, '
out_has '^colour-3\.png: 3, '

run 1 "$lockstep" predict "$net" --raw --json bad.png grey-1.png cut.png missing.png grey-2.png
cp out a.json
for file in bad cut missing; do err_has "$file\.png"; done
err_has '3 of 5 pictures could not be read'
holds 'the others go on' '[(p["file"], p["class"], p["label"]) for p in d[0]["predictions"]] == [("grey-1.png", 1, "1"), ("grey-2.png", 2, "2")]' a.json
holds 'probabilities add up' 'all(abs(sum(p["probabilities"]) - 1) < 1e-5 and p["probability"] == max(p["probabilities"]) for p in d[0]["predictions"])' a.json
ranks 3 1 "$lockstep" predict "$net" --raw --json bad.png grey-1.png cut.png missing.png grey-2.png
cmp out a.json || fail "ranks change what is printed"

# One that cannot be read is enough for status 1, wherever it stands and alone; none is, for 0.
for pictures in bad.png 'bad.png grey-0.png' 'grey-0.png bad.png' 'grey-0.png cut.png grey-1.png' missing.png; do
  for form in '' --json; do
    # shellcheck disable=SC2086
    run 1 "$lockstep" predict "$net" --raw $form $pictures
    err_has "^lockstep: .*error: 1 of $(wc -w <<<"$pictures") pictures could not be read"
  done
  holds 'which' '([e["file"] for e in d[0]["errors"]] == [f for f in "'"$pictures"'".split() if "grey" not in f] and
    [p["file"] for p in d[0]["predictions"]] == [f for f in "'"$pictures"'".split() if "grey" in f])' out
done
run 0 "$lockstep" predict "$net" --raw grey-0.png --json
holds 'no errors' 'd[0]["errors"] == [] and len(d[0]["predictions"]) == 1' out

# The class is the most probable one, the runner-up the next, whichever classes they are; the lines say the same.
python3 - <<'P'
import random, struct, zlib
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
r = random.Random(2)
for i in range(40):
    lights = [r.randrange(40, 200) for _ in range(4)] # a light in each quarter
    rows = b"".join(b"\0" + bytes(lights[2 * (y // 6) + x // 6] for x in range(12)) for y in range(12))
    with open(f"mixed-{i}.png", "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 12, 12, 8, 0, 0, 0, 0)) +
                chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
P
run 0 "$lockstep" predict "$net" --raw --json mixed-*.png
cp out mixed.json
run 0 "$lockstep" predict "$net" --raw mixed-*.png
python3 - mixed.json out <<'P' || fail 'the class and the runner-up are not the two most probable'
import json, re, sys
pairs = set()
lines = {m[1]: m for m in (re.match(r"(\S+): (\d+), (\S+) %; next (\d+), (\S+) %$", line) for line in open(sys.argv[2])) if m}
for p in json.load(open(sys.argv[1]))["predictions"]:
    order = sorted(range(4), key=lambda k: -p["probabilities"][k])
    second = p["runner_up"]
    assert [p["class"], second["class"]] == order[:2], p
    assert [p["label"], second["label"]] == [str(k) for k in order[:2]], p
    assert [p["probability"], second["probability"]] == [p["probabilities"][k] for k in order[:2]], p
    line = lines[p["file"]]
    assert [int(line[2]), int(line[4])] == order[:2], line[0]
    assert abs(float(line[3]) - 100 * p["probability"]) < 0.006 and abs(float(line[5]) - 100 * second["probability"]) < 0.006
    pairs.add(tuple(order[:2]))
assert len(pairs) >= 8 and len(lines) == 40, pairs
P

# Data of one's own are plain, unless their name, the configuration or a flag says otherwise.
run 0 "$lockstep" predict "$net" grey-{0,1,2,3}.png
out_has '^pictures: plain \('
for k in 0 1 2 3; do out_has "^grey-$k\.png: $k, "; done
run 0 "$lockstep" predict "$net" --picture digit grey-0.png grey-1.png grey-2.png grey-3.png --json
cp out digit.json
holds 'digits are cut out: all squares are alike' 'd[0]["picture"] == "digit" and len({p["class"] for p in d[0]["predictions"]}) == 1' digit.json
run 0 "$lockstep" predict "$net" --raw grey-1.png --json
cp out raw.json
holds 'raw is reported' 'd[0]["picture"] == "raw" and d[0]["predictions"][0]["warnings"] == []' raw.json
run 2 "$lockstep" predict "$net" --raw --picture digit grey-1.png
run 2 "$lockstep" predict "$net" --picture sketch grey-1.png
err_has 'plain, digit, letter'

run 0 "$lockstep" train toy.yaml data.picture=digit train.epochs=1 -o ink
ink=$(ls -v ink/checkpoint-*.h5 | tail -n 1)
run 0 "$lockstep" inspect "$ink"
out_has 'pictures  *digit'
run 0 "$lockstep" predict "$ink" grey-1.png
out_has '^pictures: digit \('
run 0 "$lockstep" predict "$ink" --picture plain grey-1.png
out_has '^pictures: plain \('

# What a dataset is goes with it through an import, whatever the file is called then.
cp -r toy mnist
run 0 "$lockstep" data import ./mnist -o other.h5
run 0 "$lockstep" train toy.yaml data.source=other.h5 train.epochs=1 -o other
run 0 "$lockstep" predict "$(ls -v other/checkpoint-*.h5 | tail -n 1)" grey-1.png
out_has '^pictures: digit \('

# Another format under a PNG's name.
printf '\xff\xd8\xff\xe0\0\020JFIF\0and so on' >photo.png
run 1 "$lockstep" predict "$net" photo.png grey-1.png
err_has "'photo\.png': no PNG file, but a JPEG picture; to make a PNG file of it: convert jpeg:photo.png NEW.png$"
out_has '^grey-1\.png: 1, '
cp photo.png "a photo's.jpg"
run 1 "$lockstep" predict "$net" "a photo's.jpg"
command=$(sed -nE 's/.*to make a PNG file of it: convert (.*) NEW.png$/\1/p' err)
eval "word=$command"
[[ ${word:-} == "jpeg:a photo's.jpg" ]] || fail "no word of a shell: $command"
run 2 "$lockstep" predict "$net"
err_has 'at least one picture'
run 2 "$lockstep" predict bad.png grey-1.png
one_error
finish
