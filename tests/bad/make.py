#!/usr/bin/env python3
"""Writes the bad inputs beside this file, expected.txt, and the good ones that fuzzing starts from (fuzz/corpus).

Needs only Python, and is deterministic: run it again after a change and commit what it writes. The JPEG seeds in
fuzz/corpus/image are read, not written. expected.txt has one line a file: its path, a tab, and what the error must say.
"""
import gzip
import hashlib
import json
import pathlib
import struct
import zlib

import data_sets
import onnx_files

BAD = pathlib.Path(__file__).parent
CORPUS = BAD.parent.parent / "fuzz" / "corpus"
expected = {}


def bad(kind, name, data, message):
    (BAD / kind).mkdir(exist_ok=True)
    (BAD / kind / name).write_bytes(data)
    expected[f"{kind}/{name}"] = message


def good(kind, name, data):
    (CORPUS / kind).mkdir(parents=True, exist_ok=True)
    (CORPUS / kind / name).write_bytes(data)


def gz(data):
    return gzip.compress(data, 9, mtime=0)


# ---- The cache of pictures (src/files/picture_cache.h).
def cache(parts=((2, 0), (1, 0)), channels=1, rows=2, columns=3, version=1, mark=b"chalkgrad cache\n", asked=0,
          tail=None, errors=((), ()), counts=None, behind=b""):
    """Pictures of zeros."""
    data = bytes(channels * rows * columns)
    if tail is None:
        tail = b""
        for (count, _), bad_ones in zip(parts, errors):
            tail += struct.pack("<I", zlib.crc32(data)) * count + struct.pack("<II", rows, columns) * count
            tail += struct.pack("<Q", len(bad_ones))
            for at, why in bad_ones:
                tail += struct.pack("<QI", at, len(why)) + why
    counts = counts or [count for count, _ in parts]
    head = mark + struct.pack("<6I", version, channels, rows, columns, asked, 0) + struct.pack("<2Q", *counts)
    head += b"".join(bytes([key]) * 32 for _, key in parts) + struct.pack("<Q", len(tail)) + hashlib.sha256(tail).digest()
    head += hashlib.sha256(head).digest()
    return head + bytes(4096 - len(head)) + data * sum(count for count, _ in parts) + tail + behind


CACHE = cache()
good("cache", "two-parts", CACHE)
good("cache", "training-alone", cache(parts=((3, 7), (0, 0)), channels=3))
good("cache", "errors", cache(errors=(((1, b"1.jpg: is gone"),), ())))
good("cache", "nothing", cache(parts=((0, 0), (0, 0))))
bad("cache", "empty", b"", "is no cache of pictures")
bad("cache", "text", b"photos/1.jpg,cat\n", "is no cache of pictures")
bad("cache", "mark-only", CACHE[:16], "it ends early")
bad("cache", "head-cut", CACHE[:150], "it ends early")
bad("cache", "version", cache(version=2), "is a cache in version 2 of its format, and this program knows 1")
bad("cache", "head-flipped", CACHE[:21] + b"\x07" + CACHE[22:], "its beginning has been changed")
bad("cache", "data-cut", CACHE[:4100], f"it has 4100 bytes instead of {len(CACHE)}")
bad("cache", "tail-cut", CACHE[:-1], f"it has {len(CACHE) - 1} bytes instead of {len(CACHE)}")
bad("cache", "data-behind", cache(behind=b"x"), f"it has {len(CACHE) + 1} bytes instead of {len(CACHE)}")
bad("cache", "tail-flipped", CACHE[:-20] + bytes([CACHE[-20] ^ 1]) + CACHE[-19:], "its end has been changed")
bad("cache", "channels", cache(channels=2), "its pictures have an impossible size")
bad("cache", "no-rows", cache(rows=0, tail=b""), "its pictures have an impossible size")
bad("cache", "huge-picture", cache(parts=((0, 0), (0, 0)), rows=65536, columns=65536), "its pictures have an impossible size")
bad("cache", "huge-count", cache(counts=[1 << 63, 1]), "it has too many pictures")
bad("cache", "many", cache(counts=[1 << 31, 1 << 31]), "it has too many pictures")
bad("cache", "promise", cache(counts=[1_000_000, 1]), "bytes instead of")
bad("cache", "tail-short", cache(tail=bytes(30)), "it ends early")
bad("cache", "tail-long", cache(tail=cache()[4096 + 18:] + b"x"), "it goes on behind its end")
bad("cache", "error-beyond", cache(errors=(((2, b"gone"),), ())), "it names a picture that it does not have")
bad("cache", "error-twice", cache(errors=(((1, b"gone"), (1, b"gone")), ())), "it names pictures out of order")
bad("cache", "file-size", cache(tail=bytes(8) + b"\xff" * 16 + bytes(40)), "a picture has an impossible size")

# ---- IDX. The test reads labels-* as labels, images-* as images, others as either.
def idx(magic, extents, data):
    return struct.pack(">I", magic) + b"".join(struct.pack(">I", n) for n in extents) + data


LABELS = idx(0x801, [3], bytes([7, 0, 9]))
IMAGES = idx(0x803, [2, 2, 3], bytes(range(12)))
good("idx", "labels", LABELS)
good("idx", "images", IMAGES)
good("idx", "labels.gz", gz(LABELS))
good("idx", "images.gz", gz(IMAGES))
good("idx", "joined.gz", gz(IMAGES[:9]) + gz(IMAGES[9:]))

bad("idx", "empty", b"", "the file is empty")
bad("idx", "empty.gz", gz(b""), "the file is empty")
bad("idx", "three-bytes", b"\0\0\x08", "the header needs 4 bytes, found 3")
bad("idx", "images-header-cut", IMAGES[:13], "the header needs 16 bytes, found 13")
bad("idx", "images-data-cut", IMAGES[:-1], "truncated: expected 28 bytes by its header, found 27")
bad("idx", "images-data-cut.gz", gz(IMAGES[:-1]), "truncated: expected 28 bytes by its header, found 27")
bad("idx", "labels-no-data", LABELS[:8], "truncated: expected 11 bytes by its header, found 8")
bad("idx", "labels-too-long", LABELS + b"\0", "too long: expected 11 bytes by its header")
bad("idx", "labels-bomb.gz", gz(LABELS + bytes(10_000_000)), "too long: expected 11 bytes by its header")
bad("idx", "labels-are-images", IMAGES, "the labels and images files are probably swapped")
bad("idx", "images-are-labels", LABELS, "the labels and images files are probably swapped")
bad("idx", "labels-text", b"7\n0\n9\n1\n", "begins with 0x370a300a, expected 0x00000801 (labels)")
bad("idx", "text", b"hello world", "not an IDX file: begins with 0x68656c6c")
bad("idx", "images-floats", idx(0xD03, [1, 1, 1], bytes(4)), "holds 32-bit floats (0x00000d03)")
bad("idx", "images-two-dimensions", idx(0x802, [2, 2], bytes(4)), "begins with 0x00000802, expected 0x00000803")
bad("idx", "no-dimensions", idx(0x800, [], b"x"), "0 dimensions")
bad("idx", "labels-none", idx(0x801, [0], b""), "dimension 1 of 1 is 0")
bad("idx", "images-zero-rows", idx(0x803, [5, 0, 5], b""), "dimension 2 of 3 is 0")
bad("idx", "images-huge", idx(0x803, [60000, 50000, 50000], bytes(4)), "promises more than 2 GiB")
bad("idx", "images-overflow", idx(0x803, [2**32 - 1] * 3, bytes(4)), "promises more than 2 GiB")
bad("idx", "overflow-many", idx(0x8FF, [2**16] * 255, b""), "promises more than 2 GiB")
bad("idx", "labels-promise.gz", gz(idx(0x801, [2**31], bytes(8))), "truncated: expected 2,147,483,656 bytes")
bad("idx", "labels-cut.gz", gz(LABELS)[:-9], "the gzip data end early")
bad("idx", "labels-header.gz", gz(LABELS)[:7], "the gzip data end early")
bad("idx", "labels-checksum.gz", gz(LABELS)[:-8] + bytes(8), "the gzip data are damaged")
bad("idx", "labels-flipped.gz", gz(LABELS)[:12] + b"\xff" + gz(LABELS)[13:], "the gzip data are damaged")
bad("idx", "labels-garbage-behind.gz", gz(LABELS) + b"junk", "4 bytes follow the end of the gzip data")


# ---- safetensors
def safetensors(header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def tensor(shape, begin, end, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def checksum(tensors, metadata):
    """As src/files/safetensors.h says, a second time."""
    number = lambda n: struct.pack("<Q", n)
    text = lambda t: number(len(t.encode())) + t.encode()
    out = text("chalkgrad safetensors") + number(len(tensors))
    for name, (shape, data) in sorted(tensors.items()):
        out += text(name) + text("F32") + number(len(shape)) + b"".join(map(number, shape)) + number(len(data)) + data
    out += number(len(metadata)) + b"".join(text(k) + text(v) for k, v in sorted(metadata.items()))
    return hashlib.sha256(out).hexdigest()


A, B = struct.pack("<2f", 1.5, -2), struct.pack("<f", 0.25)
PLAIN = {"a": tensor([1, 2], 0, 8), "b": tensor([], 8, 12)}
META = {"network": "20c5-relu-10n", "chalkgrad.format": "1"}
SIGNED = META | {"chalkgrad.sha256": checksum({"a": ([1, 2], A), "b": ([], B)}, META)}
good("safetensors", "plain.bin", safetensors(PLAIN, A + B))
good("safetensors", "empty.bin", safetensors(b"{}"))
good("safetensors", "metadata.bin", safetensors({"__metadata__": {"format": "pt"}} | PLAIN, A + B))
good("safetensors", "signed.bin", safetensors({"__metadata__": SIGNED} | PLAIN, A + B))

S = "safetensors"
bad(S, "empty.bin", b"", "truncated: has 0 bytes")
bad(S, "seven-bytes.bin", bytes(7), "truncated: has 7 bytes")
bad(S, "length-zero.bin", bytes(8), "the header is not JSON")
bad(S, "length-beyond.bin", safetensors(b"{}", length=3), "the header needs 3 bytes, found 2")
bad(S, "length-huge.bin", safetensors(b"{}", length=2**64 - 1), "says its header has 18,446,744,073,709,551,615 bytes")
bad(S, "length-limit.bin", safetensors(b"{}", length=100_000_001), "more than the 100,000,000 accepted")
bad(S, "text.bin", b"once upon a time there was a file", "accepted; the file is damaged or is not safetensors")
bad(S, "array.bin", safetensors(b"[]"), "the header is not a JSON object")
bad(S, "number.bin", safetensors(b"17"), "the header is not a JSON object")
bad(S, "json-cut.bin", safetensors(b'{"a":'), "the header is not JSON (at its byte 6)")
bad(S, "json-behind.bin", safetensors(b"{} {}"), "the header is not JSON")
bad(S, "not-utf8.bin", safetensors(b'{"\xff\xfe":1}'), "the header is not JSON")
bad(S, "nul.bin", safetensors(b'{"a\0":1}'), "the header is not JSON")
bad(S, "nul-behind.bin", safetensors(b"{}\0 "), "the header is not JSON (at its byte 3)")
bad(S, "nan.bin", safetensors(b'{"a":{"dtype":"F32","shape":[NaN],"data_offsets":[0,4]}}', B), "the header is not JSON")
bad(S, "number-range.bin", safetensors(b'{"a":1e999}'), "the header is not JSON")
bad(S, "nested-arrays.bin", safetensors(b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}"), "nested more than 3 deep")
bad(S, "nested-objects.bin", safetensors(b'{"a":' * 3000 + b"1" + b"}" * 3000), "nested more than 3 deep")
TWICE = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}'
bad(S, "name-twice.bin", safetensors(TWICE, bytes(8)), 'the header names "a" twice')
bad(S, "field-twice.bin", safetensors(TWICE[:14] + b'"F32","dtype":' + TWICE[14:], bytes(8)), 'names "dtype" twice')
bad(S, "name-hostile.bin", safetensors({"\x1b[31m\n" + "x" * 200: 1}), '"\\x1b[31m\\x0axxx')
bad(S, "tensor-number.bin", safetensors({"a": 3}), 'tensor "a" is not an object')
bad(S, "metadata-number.bin", safetensors({"__metadata__": 3}), "__metadata__ is not an object")
bad(S, "metadata-value.bin", safetensors({"__metadata__": {"epoch": 3}}), 'metadata "epoch" is not text')
bad(S, "no-dtype.bin", safetensors({"a": {"x": "F32", "shape": [], "data_offsets": [0, 4]}}, B), "has no proper dtype")
bad(S, "two-fields.bin", safetensors({"a": {"shape": [], "data_offsets": [0, 4]}}, B), "has 2 fields, expected dtype")
bad(S, "dtype-number.bin", safetensors({"a": tensor([], 0, 4, 32)}, B), "has no proper dtype")
bad(S, "dtype-f16.bin", safetensors({"a": tensor([2], 0, 4, "F16")}, B), 'tensor "a" holds "F16"; only F32 is read')
bad(S, "shape-text.bin", safetensors({"a": tensor("2", 0, 8)}, A), "has no proper shape")
bad(S, "shape-negative.bin", safetensors({"a": tensor([-2], 0, 8)}, A), "shape has an entry that is not a whole number")
bad(S, "shape-fraction.bin", safetensors({"a": tensor([2.0], 0, 8)}, A), "shape has an entry that is not a whole number")
bad(S, "shape-beyond-64-bits.bin", safetensors({"a": tensor([2**64], 0, 8)}, A), "shape has an entry that is not a whole")
bad(S, "shape-zero.bin", safetensors({"a": tensor([2, 0], 0, 0)}), 'tensor "a" has no elements')
bad(S, "shape-overflow.bin", safetensors({"a": tensor([2**32, 2**32, 2**62], 0, 8)}, A), "more elements than any file")
bad(S, "shape-wraps.bin", safetensors({"a": tensor([2**63, 2, 1], 0, 8)}, A), "more elements than any file")
bad(S, "shape-mismatch.bin", safetensors({"a": tensor([1], 0, 8)}, A), "of shape 1 needs 4 bytes, its data_offsets are 0…8")
bad(S, "dimensions.bin", safetensors({"a": tensor([1] * 65, 0, 4)}, B), "has 65 dimensions")
bad(S, "offsets-one.bin", safetensors({"a": {"dtype": "F32", "shape": [], "data_offsets": [0]}}, B), "1 entries, expected 2")
bad(S, "offsets-negative.bin", safetensors({"a": tensor([2], -8, 0)}, A), "data_offsets has an entry that is not a whole")
bad(S, "offsets-backwards.bin", safetensors({"a": tensor([2], 8, 0)}, A), "needs 8 bytes, its data_offsets are 8…0")
bad(S, "offsets-beyond.bin", safetensors({"a": tensor([2], 4, 12)}, A), 'truncated: tensor "a" ends at byte 12 of the data, found 8')
bad(S, "offsets-huge.bin", safetensors({"a": tensor([2], 2**64 - 8, 2**64 - 1)}, A), "of shape 2 needs 8 bytes")
bad(S, "offsets-far.bin", safetensors({"a": tensor([2], 2**64 - 9, 2**64 - 1)}, A), "ends at byte 18,446,744,073,709,551,615")
bad(S, "offsets-overlap.bin", safetensors({"a": tensor([1], 0, 4), "b": tensor([2], 0, 8)}, A), "overlap those before it")
bad(S, "offsets-same.bin", safetensors({"a": tensor([1], 0, 4), "b": tensor([1], 0, 4)}, B), "overlap those before it")
bad(S, "offsets-gap.bin", safetensors({"a": tensor([1], 4, 8)}, A), "leave a gap behind those before it")
bad(S, "data-cut.bin", safetensors(PLAIN, A), 'truncated: tensor "b" ends at byte 12 of the data, found 8; take another copy')
bad(S, "data-behind.bin", safetensors(PLAIN, A + B + b"x"), "the tensors fill 12 bytes of data, found 13")
bad(S, "data-only.bin", safetensors(b"{}", b"x"), "the tensors fill 0 bytes of data, found 1")
bad(S, "checksum-data.bin", safetensors({"__metadata__": SIGNED} | PLAIN, B + A), "another program has changed it (chalkgrad.sha256 does not match)")
bad(S, "checksum-metadata.bin", safetensors({"__metadata__": SIGNED | {"network": "10n"}} | PLAIN, A + B),
    "otherwise take another copy")
bad(S, "checksum-missing.bin", safetensors({"__metadata__": META} | PLAIN, A + B), 'another program has changed it (it has "chalkgrad.format" without chalkgrad.sha256)')
LATER = META | {"chalkgrad.format": "2"}
LATER |= {"chalkgrad.sha256": checksum({"a": ([1, 2], A), "b": ([], B)}, LATER)}
bad(S, "format-later.bin", safetensors({"__metadata__": LATER} | PLAIN, A + B), "use a newer chalkgrad")


# ---- images
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, depth, colour, rows, extra=b"", interlace=0, behind=b""):
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(rows, 9)) + behind
            + chunk(b"IEND", b""))


def exif(orientation, order=">", kind=3, count=1, entries=None, first=8, more=0):
    """A maker's name, the orientation and a pointer to another directory (this one: a loop), as EXIF has them."""
    mark = {">": b"MM", "<": b"II"}[order]
    make = struct.pack(order + "HHI4s", 0x10F, 2, 4, b"abc\0")
    turn = struct.pack(order + "HHIHH", 0x112, kind, count, orientation, 0)
    loop = struct.pack(order + "HHII", 0x8769, 4, 1, 8)
    return (mark + struct.pack(order + "HIH", 42, first, 3 if entries is None else entries) + make + turn + loop
            + struct.pack(order + "I", more))


def with_app1(jpeg, *data):
    return jpeg[:2] + b"".join(b"\xff\xe1" + struct.pack(">H", 2 + len(d)) + d for d in data) + jpeg[2:]


GREY = png(3, 2, 8, 0, b"\0\x00\x80\xff" b"\0\x01\x02\x03")
RGB = png(2, 1, 8, 2, b"\0\xff\0\0\0\0\xff")
PALETTE = chunk(b"PLTE", bytes([255, 0, 0, 0, 255, 0]))
good("image", "grey.png", GREY)
good("image", "rgb.png", RGB)
good("image", "alpha.png", png(2, 1, 8, 6, b"\0\xff\0\0\xff\x0a\x14\x1e\0"))
good("image", "grey-alpha.png", png(2, 1, 8, 4, b"\0\x40\xff\x40\0"))
good("image", "palette.png", png(2, 1, 8, 3, b"\0\0\1", PALETTE))
good("image", "one-bit.png", png(8, 1, 1, 0, b"\0\xaa"))
good("image", "sixteen-bits.png", png(2, 1, 16, 0, b"\0\x80\x80\xff\xff"))
good("image", "interlaced.png", png(1, 1, 8, 0, b"\0\x7f", interlace=1))
good("image", "gamma.png", png(3, 2, 8, 0, b"\0\x00\x80\xff" b"\0\x01\x02\x03", chunk(b"gAMA", struct.pack(">I", 100_000))))
good("image", "half.png", png(2, 1, 8, 4, b"\0\0\x80\0\x7f"))
good("image", "grey-key.png", png(3, 1, 2, 0, b"\0\x18", chunk(b"tRNS", b"\0\1")))
good("image", "palette-alpha.png", png(2, 1, 8, 3, b"\0\0\1", PALETTE + chunk(b"tRNS", b"\x40")))
good("image", "nothing.png", png(2, 1, 8, 4, b"\0\xff\0\0\0"))
good("image", "opaque.png", png(2, 1, 8, 4, b"\0\xff\xff\xff\xff"))
good("image", "background.png", png(1, 1, 8, 4, b"\0\0\0", chunk(b"bKGD", b"\0\x50")))

TURNED = b"\0\1\2\3\0\4\5\6"
for number in range(10):  # 0 and 9 are not orientations
    good("image", f"orientation-{number}.png", png(3, 2, 8, 0, TURNED, chunk(b"eXIf", exif(number, "<>"[number % 2]))))
good("image", "orientation-behind.png", png(3, 2, 8, 0, TURNED, behind=chunk(b"eXIf", exif(6))))
SMALL_JPEG = (CORPUS / "image" / "grey.jpg").read_bytes()
for name, data in {
    "little-endian": exif(6, "<"),
    "big-endian": exif(6),
    "cut": exif(6)[:30],  # in the middle of the orientation
    "header-cut": exif(6)[:7],
    "empty": b"",
    "byte-order": b"IM" + exif(6)[2:],
    "huge-count": exif(9, entries=65_535),
    "huge-value-count": exif(6, count=2**32 - 1),
    "loop": exif(9, more=8),
    "outside": exif(6, first=2**32 - 1),
    "at-the-end": exif(6, first=len(exif(6)) - 2),
    "long": exif(6, kind=4),
}.items():
    good("image", f"exif-{name}.jpg", with_app1(SMALL_JPEG, b"http://ns.adobe.com/xap/1.0/\0", b"Exif\0\0" + data))

I = "image"
bad(I, "empty", b"", "the file is empty")
bad(I, "text", b"not a picture", "none of PNG, JPEG, PNM and BMP by its first bytes; convert it to PNG")
bad(I, "gif", b"GIF89a\1\0\1\0\0\0\0;", "is a picture in GIF; convert it to PNG")
bad(I, "mark-only.png", GREY[:8], "it ends within the header")
bad(I, "header-cut.png", GREY[:30], "it ends within the header")
bad(I, "data-cut.png", GREY[:-20], "the PNG data are damaged or truncated")
bad(I, "end-cut.png", GREY[:-1], "the PNG data are damaged or truncated")
EXIF_PNG = png(3, 2, 8, 0, TURNED, chunk(b"eXIf", exif(6)))
bad(I, "exif-cut.png", EXIF_PNG[:60], "the PNG data are damaged or truncated (read beyond end of data)")
bad(I, "exif-checksum.png", EXIF_PNG.replace(b"abc", b"abd"), "the PNG data are damaged or truncated (eXIf: CRC error)")
bad(I, "exif-behind-cut.png", png(3, 2, 8, 0, TURNED, behind=chunk(b"eXIf", exif(6)))[:-40],
    "the PNG data are damaged or truncated")
bad(I, "palette-alpha-checksum.png", png(2, 1, 8, 3, b"\0\0\1", PALETTE + chunk(b"tRNS", b"\x40")[:-1] + b"\0"),
    "the PNG data are damaged or truncated (tRNS: CRC error)")
bad(I, "white-ink.png", png(2, 1, 8, 4, b"\0\xff\0\xff\xff"),
    "all that is visible in it has the colour of the background; lay it on black")
bad(I, "no-data.png", GREY[:33] + chunk(b"IEND", b""), "the PNG data are damaged or truncated")
bad(I, "header-checksum.png", GREY[:29] + bytes(4) + GREY[33:], "the PNG data are damaged or truncated")
bad(I, "data-checksum.png", GREY[:44] + b"\xff" + GREY[45:], "the PNG data are damaged or truncated")
bad(I, "rows-missing.png", png(3, 9, 8, 0, b"\0\x00\x80\xff"), "the PNG data are damaged or truncated")
bad(I, "zero-width.png", png(0, 2, 8, 0, b"\0\0"), "the image has no pixels")
bad(I, "huge.png", png(2**31 - 1, 2**31 - 1, 8, 0, b"\0"), "2147483647×2147483647 pixels, more than the 100,000,000")
bad(I, "promise.png", png(10_000, 10_000, 8, 0, b"\0"), "too few bytes for its size")
bad(I, "depth.png", png(1, 1, 7, 0, b"\0\0"), "the PNG data are damaged or truncated")
bad(I, "colour-type.png", png(1, 1, 8, 5, b"\0\0"), "the PNG data are damaged or truncated")
bad(I, "no-palette.png", png(2, 1, 8, 3, b"\0\0\1"), "the PNG data are damaged or truncated")
bad(I, "filter.png", png(1, 1, 8, 0, b"\x09\0"), "the PNG data are damaged or truncated")

JPEG = (CORPUS / "image" / "rgb.jpg").read_bytes()
PROGRESSIVE = (CORPUS / "image" / "progressive.jpg").read_bytes()
frame = JPEG.index(b"\xff\xc0") + 5  # height and width, 16 bits each
scan = JPEG.index(b"\xff\xda")
bad(I, "mark-only.jpg", JPEG[:3], "the JPEG data are damaged or truncated")
bad(I, "header-cut.jpg", JPEG[:scan], "the JPEG data are damaged or truncated")
bad(I, "data-cut.jpg", JPEG[:scan + 18], "the JPEG data are damaged or truncated")
bad(I, "end-cut.jpg", JPEG[:-2], "the JPEG data are damaged or truncated")
bad(I, "progressive-cut.jpg", PROGRESSIVE[:-40], "the JPEG data are damaged or truncated")
bad(I, "zero-height.jpg", JPEG[:frame] + bytes(2) + JPEG[frame + 2:], "the JPEG data are damaged or truncated")
bad(I, "huge.jpg", JPEG[:frame] + b"\xff\x00\xff\x00" + JPEG[frame + 4:], "65280×65280 pixels, more than")
bad(I, "promise.jpg", JPEG[:frame] + b"\x20\x00\x20\x00" + JPEG[frame + 4:], "too few bytes for its size")
bad(I, "huge-turned.jpg", with_app1(JPEG[:frame] + b"\x80\x00\xff\x00" + JPEG[frame + 4:], b"Exif\0\0" + exif(6)),
    "the image has 32768×65280 pixels, more than")
bad(I, "exif-cut.jpg", with_app1(JPEG, b"Exif\0\0" + exif(6))[:30], "the JPEG data are damaged or truncated")
bad(I, "no-tables.jpg", JPEG.replace(b"\xff\xc4", b"\xff\xfe"), "the JPEG data are damaged or truncated")
frame_p = PROGRESSIVE.index(b"\xff\xda")
bad(I, "many-scans.jpg", PROGRESSIVE[:frame_p] + PROGRESSIVE[frame_p:-2].split(b"\xff\xc4")[0] * 300 + b"\xff\xd9",
    "the JPEG data are damaged or truncated")

# ---- Networks and training configurations, for samples of 1×8×8.
N = "network"
NET = 'network = "4c3-relu-10n"\n'


def bad_toml(name, text, message):
    bad(N, name + ".toml", text.encode() if isinstance(text, str) else text, message)


bad(N, "typo", b"4c3-rleu", 'character 5: "rleu" is not a layer; did you mean "relu"?')
bad(N, "two-paddings", b"4c3zw", 'character 5: "w" is not understood')
bad(N, "flipped-pooling", b"mp2f", 'character 4: "f" is not understood')
bad(N, "flipped-dense", b"10nf", 'character 4: "f" is not understood')
bad(N, "bias-counted", b"10bias", '"10bias" is not a layer')
bad_toml("residual-shapes", 'network = "res(4c3)"\n', "residual1: a branch of 4×6×6 cannot be added to 1×8×8")
bad(N, "residual-open", b"res(4c3z", "character 4: this parenthesis is not closed")
bad(N, "residual-deep", b"res(" * 5000, "more than 16 parentheses in each other")
bad(N, "repetition-huge", b"1000000*(1000000*(relu))", "more than 4096 layers")
bad_toml("gap-of-vector", 'network = "10n-gap"\n', "gap1: takes channels × rows × columns, not 10")
bad_toml("batch-norm-momentum", '[[layer]]\ntype = "batch_norm"\nmomentum = 1.5\n', "momentum must be between 0 and 1")
bad_toml("batch-norm-epsilon", '[[layer]]\ntype = "batch_norm"\nepsilon = 0\n', "epsilon must be above 0 and at most 1")
bad_toml("residual-one", '[[layer]]\ntype = "residual"\n', "from must be two names")
bad_toml("cat-one", '[[layer]]\ntype = "cat"\n', "from must be two or more names")
bad_toml("header-mark", '[?layer]]\ntype = "relu"\n', "line 1, column 2: Error while parsing key: expected bare key")
bad_toml("header-three", '[[[layer]]]\ntype = "relu"\n', "line 1, column 3: Error while parsing key: expected bare key")
bad_toml("header-clipped", "[[=", "line 1, column 3: Error while parsing key: expected bare key")
bad_toml("key-cyrillic", "Ж = 1\n", "line 1, column 1: Error while parsing root table: expected keys")
bad_toml("line-cyrillic", 'network = """\\\nЖ"""\n', 'line 1, column 11: network "Ж": character 1')
bad_toml("no-layers", "[train]\nepochs = 3\n", "a network needs at least one [[layer]], or a line")
bad_toml("two-networks", NET + '[[layer]]\nchain = "10n"\n', "network stands beside [[layer]]")
bad_toml("network-number", "network = 10\n", "line 1, column 11: network must be a text in quotes")
bad_toml("network-typo", 'network = "4c3-rleu"\n', 'line 1, column 11: network "4c3-rleu": character 5')
bad_toml("network-shape", 'network = "4c9"\nseed = 1\n', 'a network has no key "seed"')
bad_toml("train-value", "train = 3\n" + NET, "train must be a table")
bad_toml("train-twice", NET + "[train]\n[train]\n", "line 3")
bad_toml("train-list", NET + "[[train]]\nepochs = 3\n", "train must be a table")
for key, value, message in (("epohcs", "3", 'did you mean "epochs"?'), ("epochs", "0", "epochs must be from 1 to 1000000"),
                            ("epochs", "99999999999999999999", "line 3"), ("batch", "1.5", "batch must be a whole number"),
                            ("lr", "-1", "lr must be a number above 0, not -1"), ("lr", "nan", "lr must be a finite number"),
                            ("lr", '"fast"', "lr must be a number"), ("momentum", "1", "at least 0 and below 1, not 1"),
                            ("nesterov", "1", "nesterov must be true or false"), ("seed", "-1", "seed must be from 0 to"),
                            ("weight_decay", "-0.1", "must be a number of at least 0"),
                            ("loss", '"mse"', "loss must be cross-entropy, "), ("loss", "1", "loss must be a text in quotes"),
                            ("maximise", '"cross-entropy"', "maximise must be log-likelihood or gaussian-log-likelihood"),
                            ("schedule", '"never"', 'schedule "never" is not known'), ("data", "[]", "data must be a text")):
    bad_toml("train-{}-{}".format(key, value.strip('"').replace("-1", "minus-1").replace("-0", "minus-0").replace(".", "_").replace("[]", "list")), NET + f"[train]\n{key} = {value}\n", message)
bad_toml("train-two-objectives", NET + '[train]\nloss = "squared-error"\nmaximise = "log-likelihood"\n',
         'maximise stands beside loss = "squared-error"')
CONV = '[[layer]]\ntype = "conv"\nfilters = 2\n'
bad_toml("conv-bias", CONV + 'bias = "tied"\n', 'bias must be true (one per filter), "untied"')
bad_toml("conv-flipped", CONV + 'flipped = "yes"\n', "flipped must be true or false")
bad_toml("conv-padding", CONV + 'padding = "fll"\n', 'a word: "same" or "full", not "fll"')
bad_toml("conv-no-bias-subtracted", CONV + "bias = false\nsubtract_bias = true\n", "subtract_bias = true needs a bias")
bad_toml("bias-key", '[[layer]]\ntype = "bias"\nuntide = true\n', 'did you mean "untied"?')
ACTIVATIONS = '[[layer]]\ntype = "activations"\n'
bad_toml("activations-none", ACTIVATIONS, 'needs "functions"')
bad_toml("activations-empty", ACTIVATIONS + "functions = []\n", "there is no function")
bad_toml("activations-unknown", ACTIVATIONS + 'functions = ["step"]\n', '"step", which is no activation')
bad_toml("activations-divide", ACTIVATIONS + 'functions = ["tanh", "relu", "relu"]\n', "3 functions do not divide 64 nodes")
bad_toml("activations-number", ACTIVATIONS + "functions = [1]\n", "functions must be made of names in quotes")

# ---- derivations. What is said is that of the text as a whole, or of its first line that fails.
def chalk(name, text, message):
    bad("derivations", name, text if isinstance(text, bytes) else text.encode(), message)


NET = "network x: 3 > z = dense(W: 2 outputs, bias b) > y = sigmoid\n"
chalk("nul-bytes", NET.encode() + b"y = \0\0", "line 2, character 5: a control character")
chalk("binary", bytes(range(256)) * 16, "line 1, character 1: a control character")
chalk("latin-1", "given \xe9".encode("latin-1"), "line 1, character 7: this is not UTF-8")
chalk("utf-16", NET.encode("utf-16"), "line 1, character 1: this is not UTF-8")
chalk("cut-character", NET.encode() + "y = δ".encode()[:-1], "line 2, character 5: this is not UTF-8")
chalk("escape-codes", NET + "\x1b[2J = y", "line 2, character 1: a control character")
chalk("long-statement", "a" * 30_000, "a statement of more than 20,000 bytes")
chalk("many-words", "1 = 1" + "+1" * 3000, "a statement of more than 3000 words")
chalk("many-names", "".join(f"given a{i}\n" for i in range(2000)), "line 1001, character 7: more than 1000 names")
chalk("deep-brackets", "(" * 5000 + "1" + ")" * 5000 + " = 1", "more than 3000 words")
chalk("brackets", "(" * 900 + "1" + ")" * 900 + " = 1", "line 1, character 201: more than 200 brackets")
chalk("unterminated-bracket", NET + "y[i = 0", "line 2, character 5: \",\" or \"]\" after an index expected")
chalk("unterminated-text", NET + "\"words", "line 2, character 1: a text that begins here has no second")
chalk("unterminated-network", NET[:NET.index(")")], "line 1, character 46: \",\" or \")\" expected")
chalk("no-network", "y[i] = sigmoid(z[i])", "line 1, character 1: \"y\" is not a value that is known here")
chalk("two-networks", NET + NET, "line 2, character 1: a second network")
chalk("quote-alone", NET + "% y = z", "line 2, character 1: the document is quoted (%) here, but no statement follows")
chalk("label-alone", "(10)", "line 1, character 1: nothing follows the label (10)")
chalk("erratum-alone", "erratum why", "line 1, character 1: an erratum follows the equation that is wrong")
chalk("chain-alone", "= 3", "line 1, character 1: there is no line above")
chalk("huge-layer", "network x: 4096x256 > y = dense(W: 4096 outputs)", "this layer is too large to check formulas on")
chalk("huge-kernel", "network x: 1024x1024 > y = conv(W: 1 filter 1023x1023, same)", "this layer is too large")
chalk("huge-filters", "network x: 8x8 " + "> conv(W: 4096 filters 4096x4096, full)", "character 39: this shape is too large")
chalk("huge-shape", "given a: 4096x4096", "character 10: this shape is too large")
chalk("huge-sum", "given a\nsum(i=0..1000000, j=0..1000000, a) = 0", "line 2, character 1: this runs over too many terms")
chalk("huge-loop", "given a\nsum(i=0..100000, a*i*sum(j=0..100000, sin(i*j))) = 0", "more than 16,777,216 terms at once")
chalk("huge-derivative", "network x: 64x64 > y = dense(W: 4096 outputs)\ndy[0]/dW[0,0,0] = 0", "4096 by 16777216 numbers, too many")
chalk("changes-within-changes", "network x: 50 > y = tanh\n" + "at(" * 8 + "y[0]" + "".join(
    f", x[i] := i*{k})" for k in "abcdefgh") + " = 0 for " + ", ".join(f"{k}=0..99" for k in "abcdefgh"),
    "this takes too long to compute; use smaller shapes and ranges")
chalk("doubling-functions", "given a\nf0(u) := u*u\n" + "".join(
    f"f{k}(u) := f{k - 1}(u)*f{k - 1}(u)\n" for k in range(1, 50)), "this is too long; use fewer of them")
chalk("deep-functions", "given a\nf(u) := u" + "+u" * 1400 + "\n" + "f(" * 50 + "a" + ")" * 50 + " = 0",
      "operations in a row or within each other; give a part of it a name")
chalk("long-chain-of-definitions", "given v0 in 1..2\n" + "".join(
    f"v{k} := v{k - 1}*1.001 + v{max(k - 2, 0)}*0.001\n" for k in range(1, 999)) + "dv998/dv0 = 0", "left is ")
chalk("not-a-number", "given a in 1..2\nln(-a) = ln(-a)", "left is nan, right is nan: not a number")
chalk("overflow", "given a in 1..2\n10^(400*a) = 10^(400*a)", "not a number")

# ---- exercise sheets, each alone or with an answer behind a line "----". With a backslash in them, they are LaTeX.
def sheet(name, text, message):
    bad("sheet", name, text if isinstance(text, bytes) else text.encode(), message)


ASKED = NET + "(1) dy[i]/dz[i]\n(2) dy[i]/dW[i,j]\n"
TEX = "".join("% chalk: " + line + "\n" for line in NET.splitlines())
sheet("empty", "", "has no step; number what is asked for, as in (1) dS/dw[i]")
sheet("no-step", NET + "dy[i]/dz[i]\n", "has no step")
sheet("latin-1", "(1) \xe9".encode("latin-1"), "line 1, character 5: this is not UTF-8")
sheet("network", "network x: 3 > y\n(1) x[i]\n", "line 1, character 16: \"y\" is not a layer")
sheet("unknown-value", NET + "(1) dy[i]/dq[i]\n", "line 2, character ")
sheet("step-twice", NET + "(1) y[i]\n(1) z[i]\n", "line 3, character 5: step (1) stands here twice")
sheet("goes-on-from-nothing", NET + "(1) = y[i]\n", "line 2, character 5: there is no line above")
sheet("false", NET + "(1) y = tanh(z)\n", "line 2, character 1: left is ")
sheet("false-hint", NET + "z = y\n(1) y[i]\n", "line 2, character 1: left is ")
sheet("many-steps", "".join(f"({i}) {i}\n" for i in range(1, 102)), "more than 100 steps")
sheet("latex-unclosed", TEX + "\\[ y_i \\tag{1}\n", "line 2, character 1: the \"\\[\" here is not closed by \"\\]\"")
sheet("latex-unknown", TEX + "\\[ \\frac{\\partial y_i}{\\partial q_i} \\tag{1} \\]\n",
      "line 2, character 33: \"q_{i}\" is not known")
sheet("latex-rule", "% chalk: read W\n\\[ y \\tag{1} \\]\n", "line 1, character 10: a reading is written")
sheet("latex-no-step", TEX + "\\[ y_i \\]\n", "has no step")
sheet("answer-latin-1", ASKED.encode() + b"\n----\n(1) \xe9", "line 1, character 5: this is not UTF-8")
sheet("answer-without-numbers", ASKED + "\n----\n= y[i]\n", "line 1, character 1: begin each step with its number")
sheet("answer-to-no-step", ASKED + "\n----\n(3) = y[i]\n", "line 1, character 5: the sheet has no step (3)")
sheet("answer-twice", ASKED + "\n----\n(1) = y[i]\n(1) = z[i]\n", "line 2, character 5: a second answer to step (1)")
sheet("answer-in-latex-without-numbers", ASKED + "\n----\n\\[ y_i \\]\n", "line 1, character 4: begin each step with its number")
good("sheet", "plain", (ASKED + "\n----\n(1) = y[i]*(1 - y[i])\n(2) e := 1\n= y[i]*x[j]*e\n").encode())
good("sheet", "latex-answer", (ASKED + "\n----\n\\begin{align} &= y_i (1 - y_i) \\tag{1} \\\\ e_i &= y_i - y_i^2 \\tag{2} \\\\ "
                               "&= e_i x_j \\end{align}\n").encode())
good("sheet", "markdown", (TEX.replace("% chalk: ", "<!-- chalk: ").replace("\n", " -->\n") +
                           "(1) $$y_i = ?$$\n\n----\n<!-- -->\n(1) $= \\sigma(z_i)$\n").encode())


for name, text in {
    "conv": "network x: 1x4x4 > z1 = conv(W1: 1 filter 2x2, flipped, full, untied bias b1) > a1 = relu > p = maxpool 5 > "
            "z3 = dense(W3: 2 outputs, bias b3) > y = softmax\ngiven t: 2 distribution\nW1, x in 0.1..1\n"
            "S := -sum(h, t[h]*ln(y[h]))\n(1) dS/dy[h] = -t[h]/y[h]\n(2) dS/dW3[a]\n"
            "= sum(h, dS/dy[h]*sum(i, dy[h]/dz3[i]*dz3[i]/dW3[a]))\n= 1\nerratum no\ncorrected = dS/dz3[a]*p\n",
    "layers": "samples 2\nfunctions f = sigmoid, tanh, relu\nnetwork x: 3x3 > c = conv(W: 2 filters 3x3, same, stride 1, "
              "bias b) > avgpool 2 > z = dense(V: 3 outputs, inputs first, subtracted bias v) > o = f\no = f(z)\n",
    "pools": "network x: 2x4x4 > p = maxpool(2, stride 1) > shared bias d > q = avgpool 3\nq = q\n",
    "family": "functions f = sigmoid, tanh\nnetwork x: 2 > s = dense(W: 2 outputs) > o = f\no[j] = f[j](s[j])\n"
              "do[j]/ds[k] = delta(j,k)*f'[j](s[j]); o = f(s)\n",
    "matrix": "samples 3\nnetwork X: 2 > Z = dense(W: 2 outputs, inputs first) > Y = tanh\nZ = X @ W; Y = tanh(Z)\n"
              "G := Y .* (1 - Y) ./ (2 + Y); sum(G, axis=0) = (ones(3)^T @ G)^T\nV := diag(X[0,:])\n"
              "sum(sum(X .* X)) = sum(i,j,X[i,j]^2)\nsoftmax(Z)[n,i] = exp(Z[n,i])/sum(j, exp(Z[n,j]))\n",
    "scalar": "given a, b in 0.1..1; given η small\nrho(u) := max(0, u)\nf(u) := u*tanh(u)\ne := f(a*b)^2\n"
              "de/da = 2*f(a*b)*f'(a*b)*b; f''(a) = f''(a)\nat(e, a := a - η*de/da) - e ≈ -η*(de/da)^2\n"
              "Δa := -η*de/da # c\n\"words\"\n% quote\n∂e/∂b = d(f(a*b)^2)/db\n",
    "reduce": "given v: 4; given t: 4 one-hot\nprod(i, v[i]) = v[0]*v[1]*v[2]*v[3]\n"
              "d(max(i, v[i]))/dv[k] = [k = argmax(i, v[i])]\nd(prod(i=0..3, v[i]))/dv[k] = prod(i, v[i])/v[k] for k=1..2\n"
              "min(v[0], 2) = min(i=0..0, v[i])\npart two\nabs(-3) = 3; floor(2.5) = 2; 2^-1 = 0.5e0\n"
              "[1 <= 2] = 1; [1 != 2]*step(1)*sign(3) = 1\n",
    "at": "network x: 2 > s = dense(w: 1 output) > o = sigmoid\ngiven y\nL := (o - y)^2/2\n"
          "at(L, w[p] := 2*w[p], x := x ./ (2 + 0*x)) = L\n",
}.items():
    good("check", name, text.encode())

data_sets.write(bad, good)
onnx_files.write(bad, good)
(BAD / "expected.txt").write_text("".join(f"{k}\t{v}\n" for k, v in sorted(expected.items())), encoding="utf-8")
