#!/usr/bin/env bash
# Pictures: many at once, the corrupt ones reported, the others classified; as text and as JSON.
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

run 0 "$lockstep" predict "$net" grey-1.png # without --raw: the bright square is ink
out_has '^grey-1\.png: '
run 2 "$lockstep" predict "$net"
err_has 'at least one picture'
run 2 "$lockstep" predict bad.png grey-1.png
one_error
finish
