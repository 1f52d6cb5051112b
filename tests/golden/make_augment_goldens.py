#!/usr/bin/python3
"""Augmented images by SciPy: tests/golden/augment.txt, which tests/unit/data/test_augment.c compares with.

    /usr/bin/python3 tests/golden/make_augment_goldens.py >tests/golden/augment.txt

Random numbers are drawn by an implementation of Philox of its own, coordinates are made from Keras's matrices, pixels
by scipy.ndimage. Needs python3-scipy. A line holds: augmentation; seed, epoch, sample; channels, height, width; pixels.
"""
import numpy as np
from scipy import ndimage

MASK = 0xFFFFFFFF
AUGMENT = 5  # ls_rng_purpose
(FLIP, CROP_ROW, CROP_COLUMN, ROTATE, SHIFT_ROWS, SHIFT_COLUMNS, SHEAR, ZOOM_ROWS, ZOOM_COLUMNS, CUTOUT_ROW,
 CUTOUT_COLUMN, ERASE, ERASE_AREA, ERASE_ASPECT, ERASE_ROW, ERASE_COLUMN) = range(16)


def philox(key, counter):
    k, c = list(key), list(counter)
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [b >> 32 ^ c[1] ^ k[0], b & MASK, a >> 32 ^ c[3] ^ k[1], a & MASK]
        k = [k[0] + 0x9E3779B9 & MASK, k[1] + 0xBB67AE85 & MASK]
    return c


class Stream:
    def __init__(self, seed, epoch, sample):
        mixed = philox((seed & MASK, seed >> 32), (epoch >> 32, sample >> 32, AUGMENT, MASK))
        self.key, self.upper = mixed[:2], (epoch & MASK, sample & MASK, AUGMENT)

    def words(self, block):
        return philox(self.key, (block, *self.upper))


def unit(word):
    return (word >> 8) * 2.0**-24


def picture(channels, height, width):
    c, i, j = np.meshgrid(range(channels), range(height), range(width), indexing="ij")
    return ((i * 37 + j * 101 + c * 59 + i * j % 17 * 13) % 256).astype(np.uint8)


def affine(spec, word, height, width):
    """Keras's apply_affine_transform: rotation, shift, shear and zoom about the centre."""
    def between(index, limit):
        return limit * (2 * unit(word[index]) - 1)
    theta, shear = np.deg2rad(between(ROTATE, spec.get("rotate", 0))), np.deg2rad(between(SHEAR, spec.get("shear", 0)))
    tx, ty = (size * between(k, spec.get("shift", 0)) for size, k in ((height, SHIFT_ROWS), (width, SHIFT_COLUMNS)))
    zx, zy = (1 + between(k, spec.get("zoom", 0)) for k in (ZOOM_ROWS, ZOOM_COLUMNS))
    matrix = np.array([[np.cos(theta), -np.sin(theta), 0], [np.sin(theta), np.cos(theta), 0], [0, 0, 1]])
    matrix = matrix @ np.array([[1, 0, tx], [0, 1, ty], [0, 0, 1]])
    matrix = matrix @ np.array([[1, -np.sin(shear), 0], [0, np.cos(shear), 0], [0, 0, 1]])
    matrix = matrix @ np.diag([zx, zy, 1])
    ox, oy = height / 2 - 0.5, width / 2 - 0.5
    matrix = np.array([[1, 0, ox], [0, 1, oy], [0, 0, 1]]) @ matrix @ np.array([[1, 0, -ox], [0, 1, -oy], [0, 0, 1]])
    i, j = np.meshgrid(range(height), range(width), indexing="ij")
    return np.stack([matrix[k, 0] * i + matrix[k, 1] * j + matrix[k, 2] for k in (0, 1)])


def displacements(spec, stream, height, width):
    fields, block = [], 16
    for _ in range(2):
        noise = np.zeros((height, -(-width // 8) * 8))
        for i in range(height):
            for j in range(0, width, 8):
                for k, word in enumerate(stream.words(block)):
                    noise[i, j + 2 * k], noise[i, j + 2 * k + 1] = ((h * 2.0**-15 - 1) for h in (word & 0xFFFF, word >> 16))
                block += 1
        smooth = ndimage.gaussian_filter(noise[:, :width], spec["sigma"], mode="constant", cval=0, truncate=4)
        fields.append(spec["alpha"] * smooth)
    return np.stack(fields)


def augment(spec, seed, epoch, sample, image):
    stream = Stream(seed, epoch, sample)
    word = sum((stream.words(block) for block in range(4)), [])
    channels, height, width = image.shape
    pad = spec.get("crop_pad", 0)
    top, left = (int(unit(word[k]) * (2 * pad + 1)) for k in (CROP_ROW, CROP_COLUMN))
    image = np.pad(image, ((0, 0), (pad, pad), (pad, pad)))[:, top:top + height, left:left + width]
    if spec.get("flip") and unit(word[FLIP]) < 0.5:
        image = image[:, :, ::-1]
    places = affine(spec, word, height, width)
    if "elastic" in spec:
        places = places + displacements(spec["elastic"], stream, height, width)
    planes = [ndimage.map_coordinates(p.astype(float), places, order=1, mode="grid-constant", cval=0) for p in image]
    out = np.floor(np.stack(planes) + 0.5).astype(np.uint8)
    if "cutout" in spec:
        side = spec["cutout"]
        row, column = int(unit(word[CUTOUT_ROW]) * height), int(unit(word[CUTOUT_COLUMN]) * width)
        out[:, max(0, row - side // 2):row - side // 2 + side, max(0, column - side // 2):column - side // 2 + side] = 0
    if unit(word[ERASE]) < spec.get("erase", 0):
        area = height * width * (0.02 + 0.38 * unit(word[ERASE_AREA]))
        aspect = 0.3 * (1 / 0.3 / 0.3) ** unit(word[ERASE_ASPECT])
        h, w = min(height, int((area * aspect) ** 0.5 + 0.5)), min(width, int((area / aspect) ** 0.5 + 0.5))
        row, column = int(unit(word[ERASE_ROW]) * (height - h + 1)), int(unit(word[ERASE_COLUMN]) * (width - w + 1))
        out[:, row:row + h, column:column + w] = 0
    return out


CASES = [
    ({"rotate": 30}, (1, 28, 28)), ({"shift": 0.2}, (1, 28, 28)), ({"zoom": 0.3}, (1, 28, 28)),
    ({"shear": 25}, (1, 28, 28)), ({"rotate": 15, "shift": 0.1, "zoom": 0.2, "shear": 10}, (1, 28, 28)),
    ({"rotate": 180, "zoom": 0.9}, (3, 9, 13)), ({"elastic": {"alpha": 34, "sigma": 4}}, (1, 28, 28)),
    ({"elastic": {"alpha": 8, "sigma": 1.5}, "rotate": 10}, (2, 11, 35)), ({"crop_pad": 4, "flip": True}, (3, 8, 6)),
    ({"crop_pad": 3, "flip": True, "rotate": 20}, (3, 12, 10)), ({"cutout": 7}, (2, 10, 12)), ({"erase": 0.7}, (1, 28, 28)),
]


def yaml(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {yaml(v)}" for k, v in value.items()) + "}"
    return str(value).lower()


for spec, shape in CASES:
    for seed, epoch, sample in ((1, 0, 0), (1, 1, 59999), (2**40 + 7, 3, 12345)):
        pixels = augment(spec, seed, epoch, sample, picture(*shape))
        print(f"{yaml(spec)}; {seed} {epoch} {sample}; {shape[0]} {shape[1]} {shape[2]}; {pixels.tobytes().hex()}")
