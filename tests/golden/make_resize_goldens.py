#!/usr/bin/env python3
"""Images that Pillow has scaled: tests/golden/resize.txt, which tests/unit/data/test_resize.c compares with.

    python3 tests/golden/make_resize_goldens.py >tests/golden/resize.txt

Needs Pillow. A line holds: height, width of the image; those that it is scaled to; the pixels. The pixel of row y and
column x is (37 y + 101 x + (x y mod 17) * 13) mod 256.
"""
from PIL import Image

CASES = [((28, 28), (64, 64)), ((28, 28), (32, 32)), ((16, 16), (28, 28)), ((32, 32), (96, 96)), ((28, 28), (10, 13)),
         ((9, 31), (20, 7)), ((5, 4), (5, 9)), ((5, 4), (2, 4)), ((1, 1), (3, 2)), ((1, 6), (4, 1))]

for (height, width), (to_height, to_width) in CASES:
    image = Image.new("L", (width, height))
    image.putdata([(37 * y + 101 * x + x * y % 17 * 13) % 256 for y in range(height) for x in range(width)])
    scaled = image.resize((to_width, to_height), Image.BILINEAR)
    print(height, width, to_height, to_width, scaled.tobytes().hex())
