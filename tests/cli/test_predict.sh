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

# Data of one's own are plain, unless their name, the configuration or a flag says otherwise.
run 0 "$lockstep" predict "$net" grey-{0,1,2,3}.png
out_has '^pictures: plain \('
for k in 0 1 2 3; do out_has "^grey-$k\.png: $k, "; done
run 0 "$lockstep" predict "$net" --picture digit grey-0.png grey-1.png grey-2.png grey-3.png --json
cp out digit.json
holds 'digits are cut out: all squares are alike' 'd[0]["picture"] == "digit" and len({p["class"] for p in d[0]["predictions"]}) == 1' digit.json
run 0 "$lockstep" predict "$net" --raw grey-1.png --json
cp out raw.json
holds 'raw is told' 'd[0]["picture"] == "raw" and d[0]["predictions"][0]["warnings"] == []' raw.json
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
