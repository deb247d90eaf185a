#!/usr/bin/env python3
"""Writes tests/augmentations/torchvision.txt: pictures as torchvision's functions augment them.

The random numbers are drawn as chalkgrad draws them, by a second implementation of its generator; what is made of the
numbers is torchvision's, on floats, rounded once in the end. Each line is

    AUGMENTATION | shape | epoch | within | pixels in hex

`within` is by how many levels a pixel may differ: 0 where nothing is computed. Run it with torch 2.15.0 and torchvision
0.29.2 after adding an augmentation here; the tests of the room `augmentations` read the file.
"""
import math
import pathlib

import torch
from torchvision.transforms.v2 import functional as tv

MASK = 0xFFFFFFFF
SEED, ROW = 5, 3


def philox(counter, key):
    """Philox 4x32-10 (Salmon et al. 2011)."""
    c, k = list(counter), list(key)
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [b >> 32 ^ c[1] ^ k[0], b & MASK, a >> 32 ^ c[3] ^ k[1], a & MASK]
        k = [k[0] + 0x9E3779B9 & MASK, k[1] + 0xBB67AE85 & MASK]
    return c


def hash_name(name):
    """FNV-1a, with the offset that chalkgrad has."""
    h = 1469598103934665603
    for byte in name.encode():
        h = (h ^ byte) * 1099511628211 & (1 << 64) - 1
    return h


class Random:
    def __init__(self, seed, stream):
        self.seed, self.stream, self.position, self.block = seed, stream, 0, []

    def bits(self):
        if not self.block:
            self.block = philox((self.position & MASK, self.position >> 32, self.stream & MASK, self.stream >> 32),
                                (self.seed & MASK, self.seed >> 32))
            self.position += 1
        return self.block.pop(0)

    def below(self, bound):
        product = self.bits() * bound
        if product & MASK < bound:
            while product & MASK < (1 << 32) % bound:
                product = self.bits() * bound
        return product >> 32

    def uniform(self):
        first = self.bits()
        return (first << 21 ^ self.bits() >> 11) * 2.0 ** -53

    def between(self, least, most):
        return least + (most - least) * self.uniform()

    def between_ratios(self, least, most):
        return least * (most / least) ** self.uniform()

    def bytes(self, count):
        return b"".join(self.bits().to_bytes(4, "little") for _ in range(-(-count // 4)))[:count]

    def normal(self, count):
        """Marsaglia's polar method, a block of numbers at a time as chalkgrad does where it needs few."""
        values = []
        while len(values) < count:
            x, y = self.uniform() * 2 - 1, self.uniform() * 2 - 1
            s = x * x + y * y
            if 0 < s < 1:
                values.append(x * math.sqrt(-2 * math.log(s) / s))
        return values


def draws(name, epoch, number=1):
    random = Random(SEED, hash_name(f"augmentation {name} {number}"))
    key = random.bits() << 32 | random.bits()
    return Random(key, epoch << 32 | ROW), Random(key, MASK << 32 | ROW)


def picture(shape):
    return torch.tensor(list(Random(7, hash_name("picture")).bytes(math.prod(shape))), dtype=torch.uint8).reshape(shape)


def nearest(x):
    return math.floor(x + 0.5)


PLAIN = {"black": 0, "white": 255}


MEANS = (64, 128, 192)


def erased(x, random, top, left, rows, columns, fill):
    x = x.clone()
    for c in range(x.shape[0]):
        for r in range(top, top + rows):
            row = x[c, r, left:left + columns]
            row[:] = (torch.tensor(list(random.bytes(columns)), dtype=torch.uint8) if fill == "noise" else
                      {**PLAIN, "mean": MEANS[c]}[fill])
    return x


def with_chance(change):
    def apply(x, random, p=0.5):
        return change(x) if random.uniform() < p else x
    return apply


def shift(x, random, pixels, border="constant", fill="black"):
    down, right = random.below(2 * pixels + 1), random.below(2 * pixels + 1)
    padded = tv.pad(x, pixels, fill=PLAIN[fill], padding_mode=border)
    return tv.crop(padded, down, right, x.shape[1], x.shape[2])


def cutout(x, random, side, fill="black"):
    ends = []
    for size in x.shape[1:]:
        begin = random.below(size) - side // 2
        ends.append((max(0, begin), min(size, begin + side)))
    (top, bottom), (left, right) = ends
    return erased(x, random, top, left, bottom - top, right - left, fill)


def erase(x, random, p=0.5, least=0.02, most=0.33, ratio_least=0.3, ratio_most=3.3, fill="black"):
    if random.uniform() >= p:
        return x
    area = x.shape[1] * x.shape[2]
    for _ in range(10):
        share, ratio = area * random.between(least, most), random.between_ratios(ratio_least, ratio_most)
        rows, columns = nearest(math.sqrt(share * ratio)), nearest(math.sqrt(share / ratio))
        if rows < x.shape[1] and columns < x.shape[2]:
            top, left = random.below(x.shape[1] - rows + 1), random.below(x.shape[2] - columns + 1)
            if fill != "black":
                return erased(x, random, top, left, rows, columns, fill)
            return tv.erase(x, top, left, rows, columns, torch.zeros(x.shape[0], 1, 1, dtype=torch.uint8))
    return x


def affine(x, fill, **how):
    """Without torchvision's fill, not even 0, which weighs pixels at the border twice by how far they are within."""
    usual = {"angle": 0.0, "translate": [0, 0], "scale": 1.0, "shear": [0.0, 0.0]}
    value = torch.tensor({"mean": MEANS[:x.shape[0]]}.get(fill) or [PLAIN[fill]]).float().reshape(-1, 1, 1)
    bilinear = tv.InterpolationMode.BILINEAR
    return tv.affine(x.float() - value, **{**usual, **how}, interpolation=bilinear, fill=None) + value


def rotate(x, random, degrees, fill="black"):
    return affine(x, fill, angle=-random.between(-degrees, degrees))  # affine's angles are clockwise


def scale(x, random, least=0.9, most=1.1, fill="black"):
    return affine(x, fill, scale=random.between(least, most))


def shear(x, random, degrees, fill="black"):
    return affine(x, fill, shear=[-random.between(-degrees, degrees), 0.0])


def resized_crop(x, random, least=0.08, most=1.0, ratio_least=3 / 4, ratio_most=4 / 3):
    rows, columns = x.shape[1:]
    for _ in range(10):
        share = rows * columns * random.between(least, most)
        ratio = random.between_ratios(ratio_least, ratio_most)
        w, h = nearest(math.sqrt(share * ratio)), nearest(math.sqrt(share / ratio))
        if 0 < w <= columns and 0 < h <= rows:
            top = random.below(rows - h + 1)
            part = (top, random.below(columns - w + 1), h, w)
            break
    else:
        w, h = columns, rows
        if columns / rows < ratio_least:
            h = nearest(columns / ratio_least)
        elif columns / rows > ratio_most:
            w = nearest(rows * ratio_most)
        part = ((rows - h) // 2, (columns - w) // 2, h, w)
    return tv.resized_crop(x.float(), *part, [rows, columns], antialias=False)


def factor(random, strength):
    return random.between(max(0.0, 1 - strength), 1 + strength)


def of_unit(change):
    """On floats of 0 … 1, as torchvision wants them."""
    def apply(x, random, *parameters):
        return change(x.double() / 255, random, *parameters) * 255
    return apply


def grey(x):
    return tv.rgb_to_grayscale(x.double() / 255, num_output_channels=3) * 255


def hue(x, random, turns):
    return tv.adjust_hue(x, random.between(-turns, turns))


def noise(x, random, deviation=0.1):
    normal = torch.tensor(random.normal(x.numel()), dtype=torch.double).reshape(x.shape)
    return (x.double() / 255 + deviation * normal).clamp(0, 1) * 255


def blur(x, random, least=0.1, most=2.0):
    sigma = random.between(least, most)
    radius = max(1, nearest(3 * sigma))
    return tv.gaussian_blur(x.double(), [2 * radius + 1] * 2, [sigma, sigma])


OPERATIONS = ("identity", "shear_x", "shear_y", "translate_x", "translate_y", "rotate", "brightness", "colour", "contrast",
              "sharpness", "posterize", "solarize", "autocontrast", "equalize")
SIGNED = OPERATIONS[1:10]


def operate(x, random, m, reach):
    """One of torchvision's RandAugment, as its _apply_transform has it."""
    operation = OPERATIONS[random.below(14)]
    if operation in SIGNED and random.below(2):
        m = -m
    columns, rows = x.shape[2], x.shape[1]
    nearest_pixel = tv.InterpolationMode.NEAREST
    usual = {"angle": 0.0, "translate": [0, 0], "scale": 1.0, "interpolation": nearest_pixel}
    slant = math.degrees(math.atan(reach["tangent"] * m))
    moved = [int(m * reach["pixels"](columns)), int(m * reach["pixels"](rows))]
    unit = x.double() / 255
    change = {"identity": lambda: x,
              "shear_x": lambda: tv.affine(x, **usual, shear=[slant, 0.0], center=[0, 0]),
              "shear_y": lambda: tv.affine(x, **usual, shear=[0.0, slant], center=[0, 0]),
              "translate_x": lambda: tv.affine(x, **{**usual, "translate": [moved[0], 0]}, shear=[0.0, 0.0]),
              "translate_y": lambda: tv.affine(x, **{**usual, "translate": [0, moved[1]]}, shear=[0.0, 0.0]),
              "rotate": lambda: tv.rotate(x, reach["degrees"] * m, interpolation=nearest_pixel),
              "brightness": lambda: tv.adjust_brightness(unit, 1 + reach["factor"] * m) * 255,
              "colour": lambda: tv.adjust_saturation(unit, 1 + reach["factor"] * m) * 255,
              "contrast": lambda: tv.adjust_contrast(unit, 1 + reach["factor"] * m) * 255,
              "sharpness": lambda: tv.adjust_sharpness(unit, 1 + reach["factor"] * m) * 255,
              "posterize": lambda: tv.posterize(x, 8 - int(torch.tensor(reach["bits"] * m).round())),
              "solarize": lambda: tv.solarize(x, 255 * (1 - m)),
              "autocontrast": lambda: tv.autocontrast(unit) * 255,
              "equalize": lambda: tv.equalize(x)}
    return rounded(change[operation]())


def rounded(y):
    return y if y.dtype == torch.uint8 else (y.double() + 0.5).floor().clamp(0, 255).to(torch.uint8)


RAND = {"tangent": 0.3, "degrees": 30, "factor": 0.9, "pixels": lambda side: 150 / 331 * side, "bits": 4}
TRIVIAL = {"tangent": 0.99, "degrees": 135, "factor": 0.99, "pixels": lambda _: 32.0, "bits": 6}


def randaugment(x, random, operations=2, magnitude=9):
    for _ in range(operations):
        x = operate(x, random, magnitude / 30, RAND)
    return x


def trivialaugment(x, random):
    return operate(x, random, random.below(31) / 30, TRIVIAL)


EXACT = {"flip": with_chance(tv.horizontal_flip), "vflip": with_chance(tv.vertical_flip), "shift": shift,
         "cutout": cutout, "erase": erase}
ROUNDED = {"rotate": rotate, "scale": scale, "shear": shear, "resized-crop": resized_crop,
           "brightness": of_unit(lambda x, r, s: tv.adjust_brightness(x, factor(r, s))),
           "contrast": of_unit(lambda x, r, s: tv.adjust_contrast(x, factor(r, s))),
           "saturation": of_unit(lambda x, r, s: tv.adjust_saturation(x, factor(r, s))),
           "hue": of_unit(hue), "grey": with_chance(grey), "noise": noise, "blur": blur,
           "randaugment": randaugment, "trivialaugment": trivialaugment}

COLOUR, GREY, TINY, MANY, LARGE = (3, 11, 13), (1, 14, 9), (3, 3, 3), (3, 5, 7), (1, 17, 18)
CASES = [("flip", COLOUR), ("flip:0.9", GREY), ("vflip", COLOUR), ("vflip:0.9", GREY), ("alternating-flip", COLOUR),
         ("shift:4", COLOUR), ("shift:1", GREY), ("shift:8,fill=white", GREY), ("shift:5,border=edge", COLOUR),
         ("shift:5,border=reflect", COLOUR), ("shift:8,border=reflect", GREY), ("shift:8,border=symmetric", GREY),
         ("cutout:5", COLOUR), ("cutout:8,fill=mean", COLOUR), ("cutout:4,fill=noise", COLOUR), ("cutout:1", GREY),
         ("erase:1", COLOUR), ("erase", GREY), ("erase:1,fill=noise", COLOUR),
         ("erase:1,least=0.4,most=0.9,ratio_least=0.5,ratio_most=2", COLOUR),
         ("rotate:15", COLOUR), ("rotate:180,fill=white", GREY), ("rotate:90,fill=mean", COLOUR),
         ("scale", COLOUR), ("scale:0.5,0.7", GREY), ("scale:2,3,fill=white", COLOUR),
         ("shear:10", COLOUR), ("shear:60,fill=mean", COLOUR), ("resized-crop", COLOUR), ("resized-crop:0.2,0.4", GREY),
         ("resized-crop:1,ratio_least=2,ratio_most=2", COLOUR), ("resized-crop:1,ratio_least=0.5,ratio_most=0.5", COLOUR),
         ("brightness:0.4", COLOUR), ("brightness:2", GREY), ("contrast:0.4", COLOUR), ("contrast:3", COLOUR),
         ("contrast:0.9", GREY), ("saturation:0.4", COLOUR), ("saturation:1.5", COLOUR), ("hue:0.1", COLOUR),
         ("hue:0.5", COLOUR), ("grey:0.8", COLOUR), ("noise", COLOUR), ("noise:0.02", GREY), ("blur", COLOUR),
         ("blur:1,1.5", GREY), ("flip", TINY), ("vflip", TINY), ("erase", TINY), ("grey:0.4", TINY),
         ("randaugment:1", MANY), ("randaugment:1,29", MANY), ("randaugment:2,11", GREY), ("trivialaugment", MANY),
         ("randaugment:1", LARGE)]
EPOCHS = {COLOUR: 2, GREY: 2, TINY: 16, MANY: 40, LARGE: 24}  # small ones show how often something is done


def parameters_of(text):
    plain, named = [], {}
    for part in text.split(",") if text else []:
        name, equals, value = part.rpartition("=")
        value = value if value[0].isalpha() else float(value) if "." in value else int(value)
        if equals:
            named[name] = value
        else:
            plain.append(value)
    return plain, named


def main():
    lines = []
    for text, shape in CASES:
        name, _, rest = text.partition(":")
        plain, named = parameters_of(rest)
        for epoch in range(EPOCHS[shape]):
            random, always = draws(name, epoch)
            x = picture(shape)
            if name == "alternating-flip":
                y = tv.horizontal_flip(x) if (always.below(2) + epoch) % 2 else x
            else:
                y = (EXACT.get(name) or ROUNDED[name])(x, random, *plain, **named)
            hexed = bytes(rounded(y).flatten().tolist()).hex()
            lines.append(f"{text} | {' '.join(map(str, shape))} | {epoch} | {int(name in ROUNDED)} | {hexed}")
    out = pathlib.Path(__file__).resolve().parent.parent / "tests/augmentations/torchvision.txt"
    out.write_text("# Written by tools/record_augmentations.py with torch and torchvision: see there.\n" + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
