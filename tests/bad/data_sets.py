"""The bad and good inputs of make.py for the formats that data sets come in."""
import gzip
import io
import struct
import tarfile
import zipfile


def tar(files, form):
    """An archive of (name, data); a name that ends with a slash is a folder."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as archive:
        for name, data in files:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            if name.endswith("/"):
                info.type = tarfile.DIRTYPE
            archive.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def checked(header):
    """With the checksum that its bytes have."""
    plain = header[:148] + b" " * 8 + header[156:512]
    return plain[:148] + b"%06o\0 " % sum(plain) + plain[156:] + header[512:]


def write_tar(bad, good):
    one = bytes(range(256)) * 2 + bytes(range(88))
    files = [("folder/", b""), ("folder/one", one), ("folder/empty", b""), ("f" * 120 + "/two", bytes([255]) * 512)]
    for name, form in (("ustar", tarfile.USTAR_FORMAT), ("gnu", tarfile.GNU_FORMAT), ("pax", tarfile.PAX_FORMAT)):
        good("tar", name, tar(files, form))
    old = tar([("one", one)], tarfile.USTAR_FORMAT)
    good("tar", "v7", checked(old[:257] + bytes(512 - 257) + old[512:]))
    good("tar", "none", bytes(1024))
    plain = tar([("one", one)], tarfile.USTAR_FORMAT)
    bad("tar", "empty", b"", "its end is missing at byte 0")
    bad("tar", "text", b"once upon a time" * 64, "no header, or one with a wrong checksum, at byte 0")
    bad("tar", "end-cut", plain[:1536], "its end is missing at byte 1,536")
    bad("tar", "data-cut", plain[:700], "a file that ends early at byte 512")
    bad("tar", "filling-cut", plain[:1120], "its end is missing at byte 1,120")
    bad("tar", "size", checked(plain[:124] + b"0000000zz14\0" + plain[136:]), "a wrong size at byte 0")
    bad("tar", "size-empty", checked(plain[:124] + b" " * 12 + plain[136:]), "a wrong size at byte 0")
    bad("tar", "size-huge", checked(plain[:124] + b"777777777777" + plain[136:]), "a file that ends early at byte 512")
    bad("tar", "second-header", plain[:1536] + b"x" * 512 + plain[1536:], "a wrong checksum at byte 1,536")


def write_cifar(bad, good):
    record = bytes([9]) + bytes(range(256)) * 12
    pair = bytes([19, 99]) + bytes(range(256)) * 12
    good("cifar", "ten", record * 2)
    good("cifar", "hundred", pair)
    bad("cifar", "one-empty", b"", "has 0 bytes, which is no multiple of 3,073, a label and 3×32×32 pixels")
    bad("cifar", "one-cut", record[:-1], "has 3,072 bytes, which is no multiple of 3,073")
    bad("cifar", "one-is-two", pair, "has 3,074 bytes, which is no multiple of 3,073")
    bad("cifar", "one-label", record + bytes([10]) + record[1:], "record 1 has the label 10, but there are 10 classes, from 0")
    bad("cifar", "two-coarse", bytes([20]) + pair[1:], "record 0 has the label 20, but there are 20 classes")
    bad("cifar", "two-fine", pair[:1] + bytes([100]) + pair[2:], "record 0 has the label 100, but there are 100 classes")


def bmp(bits, rows, size=(2, 1), compression=0, palette=b"", header=40, more=b""):
    """A picture of so many columns and rows; `more` follows the header of 40 bytes."""
    offset = 14 + 40 + len(more) + len(palette)
    return (b"BM" + struct.pack("<IHHI", offset + len(rows), 0, 0, offset)
            + struct.pack("<IiiHHIIiiII", header, *size, 1, bits, compression, len(rows), 0, 0, len(palette) // 4, 0)
            + more + palette + rows)


def write_pictures(bad, good):
    grey, colours = bytes([0, 0, 0, 0, 255, 255, 255, 0]), bytes([0, 0, 255, 0, 255, 0, 0, 0])
    row = bytes([1, 2, 3, 4, 5, 6, 0, 0])
    good("image", "24.bmp", bmp(24, row))
    good("image", "down.bmp", bmp(24, row * 2, (2, -2)))
    good("image", "1.bmp", bmp(1, bytes([0x40, 0, 0, 0]), palette=grey))
    good("image", "4.bmp", bmp(4, bytes([0x10, 0, 0, 0]), palette=colours))
    good("image", "8.bmp", bmp(8, bytes([1, 0, 0, 0]), palette=colours))
    good("image", "16.bmp", bmp(16, struct.pack("<HH", 0x7C1F, 0x03E0)))
    good("image", "565.bmp", bmp(16, struct.pack("<HH", 0xF800, 0x07E0), compression=3,
                                 more=struct.pack("<III", 0xF800, 0x07E0, 0x1F)))
    good("image", "32.bmp", bmp(32, bytes([3, 2, 1, 0, 6, 5, 4, 0])))
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    good("image", "opacity.bmp", bmp(32, bytes([0, 0, 0, 128, 6, 5, 4, 255]), compression=3, header=56, more=masks))
    good("image", "os2.bmp", b"BM" + struct.pack("<IHHIIHHHH", 34, 0, 0, 26, 12, 2, 1, 1, 24) + row)
    for name, text in {"bits.pbm": b"P1 # a comment\n3 2\n101\n0 1 0\n", "grey.pgm": b"P2 3 1 15\n0 7\t15\n",
                       "colour.ppm": b"P3\n1 1\n255\n1 2 3", "bytes.pbm": b"P4\n10 1\n\xaa\x80",
                       "bytes.pgm": b"P5 2 2 255\n\0\x80\xff\x01", "wide.pgm": b"P5 2 1 65535\n\0\x80\xff\xff",
                       "bytes.ppm": b"P6\n#\n1 1\n7\n\0\3\7", "behind.pgm": b"P5 1 1 255\n\x09P5 1 1 255\n\x09"}.items():
        good("image", name, text)
    i = "image"
    bad(i, "webp", b"RIFF\x1a\0\0\0WEBPVP8L\r\0\0\0/\0\0\0", "is a picture in WebP; convert it to PNG")
    bad(i, "tiff", b"II*\0\x08\0\0\0\0\0", "is a picture in TIFF; convert it to PNG")
    bad(i, "mark-only.bmp", b"BM", "the BMP data are damaged or truncated (it ends within the header)")
    bad(i, "header-cut.bmp", bmp(24, row)[:40], "the BMP data are damaged or truncated (it ends within the header)")
    bad(i, "header-size.bmp", bmp(24, row, header=13), "(its header has an impossible size)")
    bad(i, "data-cut.bmp", bmp(24, row)[:-1], "(too few bytes for its size)")
    bad(i, "offset.bmp", b"BM" + struct.pack("<IHHI", 0, 0, 0, 2**32 - 1) + bmp(24, row)[14:], "(too few bytes for its size)")
    bad(i, "zero.bmp", bmp(24, row, (0, 1)), "the image has no pixels")
    bad(i, "negative-width.bmp", bmp(24, row, (-2, 1)), "the image has no pixels")
    bad(i, "huge.bmp", bmp(24, row, (60000, 60000)), "the image has 60000×60000 pixels, more than the 100,000,000")
    bad(i, "least-height.bmp", bmp(24, row, (1, -2**31)), "pixels, more than the 100,000,000")
    bad(i, "run-lengths.bmp", bmp(8, row, compression=1, palette=colours), "is a compressed BMP image, which is not read")
    bad(i, "bits.bmp", bmp(5, row), "(5 bits a pixel)")
    bad(i, "palette.bmp", bmp(8, bytes([2, 0, 0, 0]), palette=colours), "(a colour that the palette lacks)")
    bad(i, "masks.bmp", bmp(16, row, compression=3, more=bytes(12)), "(a colour without bits)")
    bad(i, "mark-only.pgm", b"P5", "the PNM data are damaged or truncated (it ends early)")
    bad(i, "data-cut.pgm", b"P5 2 2 255\n\0\0\0", "(too few bytes for its size)")
    bad(i, "text-cut.pgm", b"P2 2 2 255 1 2 3", "the PNM data are damaged or truncated")
    bad(i, "word.pgm", b"P2 2 2 255 1 two 3 4", "(no number where one belongs)")
    bad(i, "negative.pgm", b"P2 -2 2 255", "(no number where one belongs)")
    bad(i, "above.pgm", b"P2 2 1 9 8 10", "(a value is above the largest)")
    bad(i, "largest.pgm", b"P5 1 1 65536\n\0\0", "(its largest value is not from 1 to 65535)")
    bad(i, "no-blank.pgm", b"P5 1 1 255", "(no blank behind the header)")
    bad(i, "bit.pbm", b"P1 2 1 1 2", "(no bit where one belongs)")
    bad(i, "huge.ppm", b"P6 60000 60000 255\n", "the image has 60000×60000 pixels, more than the 100,000,000")
    bad(i, "zero.pgm", b"P5 0 1 255\n", "the image has no pixels")
    bad(i, "overflow.pgm", b"P5 99999999999999999999 1 255\n", "(a number is too large)")


def write_csv(bad, good):
    for name, text in {"plain": "x,y,label\n1,2.5,a\n-3e2,+4,b\n", "quoted": 'x,"a ""b"""\r\n1,"c\nd, e"\r\n2,""\r\n',
                       "words": "c,x,label\nred,1,a\nblue,,b\n", "pixels": "7,0,255,1,2\n9,3,4,5,6\n",
                       "semicolons": "x;label\n1;a\n", "tabs": "\ufeffx\tlabel\r1\ta\r"}.items():
        good("csv", name, text.encode())
    c = "csv"
    bad(c, "empty", b"", "has no lines; give a file with a sample in each")
    bad(c, "blank", b"\n\r\n\n", "has no lines; give a file with a sample in each")
    bad(c, "names-only", b"x,label\n", "has names of columns but no samples")
    bad(c, "open-quote", b'x,label\n1,"a\n2,b\n', "line 2: a quote is not closed in the record that begins here")
    bad(c, "behind-quote", b'x,label\n1,"a" b\n', 'line 2: a field in quotes goes on behind the second one with " "')
    bad(c, "short-line", b"x,y,label\n1,2,a\n3,b\n", "line 3: has 2 values, but the first line has 3")
    bad(c, "long-line", b"x,label\n1,a\n1,5,b\n", "line 3: has 3 values, but the first line has 2")
    bad(c, "no-number", b"x,label\n1,a\nfive,b\n", 'line 3, column "x": "five" is no number')
    bad(c, "infinite", b"x,label\n1,a\n-inf,b\n", 'line 3, column "x": "-inf" is no finite number of 32 bits')
    bad(c, "missing", b"x,label\n1,a\n,b\n", 'line 3, column "x": the value is missing')
    bad(c, "no-label", b"x,label\n1,a\n2,\n", 'line 3, column "label": the value is missing')
    bad(c, "which-label", b"x,y\n1,2\n", "which column is the class? Say it by the option label=NAME")
    bad(c, "label-only", b"label\na\n", "has no columns to learn from")
    bad(c, "utf-16", "x,label\n1,a\n".encode("utf-16"), "is UTF-16; save it as UTF-8")
    bad(c, "nul", b"x,label\n1,\0\n", "holds a NUL byte, so it is no text")
    bad(c, "binary", bytes(range(250, -1, -1)), "holds a NUL byte, so it is no text")
    bad(c, "cut.gz", gzip.compress(b"x,label\n1,a\n", mtime=0)[:20], "the gzip data end early")


def npy(descr="'|u1'", shape="(2, 3)", data=bytes(6), fortran="False", version=1):
    header = f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    size = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + size + header + data


def write_npy(bad, good):
    good("npy", "bytes", npy())
    good("npy", "fortran", npy(fortran="True"))
    good("npy", "floats", npy("'<f4'", "(2,)", bytes(8)))
    good("npy", "halves", npy("'>f2'", "(2, 1)", bytes([0x3C, 0, 0x7C, 0]), version=2))
    good("npy", "words", npy("'<U2'", "(2,)", "aä".encode("utf-32-le") + "é".encode("utf-32-le") + bytes(4), version=3))
    good("npy", "scalar", npy("'<i8'", "()", bytes(8)))
    good("npy", "none", npy("'<i8'", "(0, 3)", b""))
    n = "npy"
    bad(n, "empty", b"", "is no .npy file by its first bytes; write it with numpy.save")
    bad(n, "text", b"1,2,3", "is no .npy file by its first bytes")
    bad(n, "mark-only", b"\x93NUMPY", "it ends within the header")
    bad(n, "header-cut", npy()[:40], "it ends within the header")
    bad(n, "version", npy(version=4), "its version is unknown")
    bad(n, "no-type", npy().replace(b"descr", b"discr"), "no descr")
    bad(n, "no-order", npy().replace(b"fortran_order", b"fortran_ordre"), "no fortran_order")
    bad(n, "no-shape", npy().replace(b"shape", b"shope"), "no shape")
    bad(n, "shape-open", npy(shape="(2, 3").replace(b", }", b"   "), "no shape")
    bad(n, "shape-word", npy(shape="(2, x)"), "an impossible shape")
    bad(n, "shape-negative", npy(shape="(-2, 3)"), "an impossible shape")
    bad(n, "shape-huge", npy(shape="(4000000000, 4000000000)"), "a shape beyond any file")
    bad(n, "data-cut", npy(data=bytes(5)), "an array of 2×3 needs 6 elements of 1 bytes, found 5 bytes")
    bad(n, "data-behind", npy(data=bytes(7)), "an array of 2×3 needs 6 elements of 1 bytes, found 7 bytes")
    bad(n, "objects", npy("'|O'"), "holds Python's objects, which only Python can read")
    bad(n, "records", npy("[('a', '<f4')]"), "holds records of several fields")
    bad(n, "complex", npy("'<c8'"), 'holds elements of the type "<c8", which are not read')
    bad(n, "dates", npy("'<M8[s]'"), 'holds elements of the type "<M8[s]", which are not read')
    bad(n, "float-size", npy("'<f3'"), 'holds elements of the type "<f3", which are not read')
    bad(n, "type-open", npy("'<f4"), 'holds elements of the type "<f4, ", which are not read')


def zipped(files, method=zipfile.ZIP_STORED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, method)
    return stream.getvalue()


def write_npz(bad, good):
    files = {"x.npy": npy(), "y.npy": npy("'<i8'", "(2,)", bytes(16))}
    plain, packed = zipped(files), zipped({"x.npy": npy(shape="(500, 3)", data=bytes(1500))}, zipfile.ZIP_DEFLATED)
    good("npz", "plain", plain)
    good("npz", "packed", packed)
    good("npz", "comment", plain[:-2] + struct.pack("<H", 5) + b"hello")
    good("npz", "other-files", zipped(files | {"notes.txt": b"text"}))
    good("npz", "none", zipped({}))
    n = "npz"
    bad(n, "empty", b"", "is no .npz file by its first bytes; write it with numpy.savez")
    bad(n, "npy", npy(), "is no .npz file by its first bytes")
    bad(n, "mark-only", b"PK\3\4", "it ends early")
    bad(n, "end-cut", plain[:-1], "its end is missing")
    bad(n, "directory", plain.replace(b"PK\1\2", b"PK\1\3"), "its directory")
    bad(n, "directory-beyond", plain[:-6] + struct.pack("<I", 10**9) + plain[-2:], "it ends early")
    bad(n, "wide-end", plain[:-6] + b"\xff" * 4 + plain[-2:], "its end in 64 bits is missing")
    bad(n, "header", b"PK\3\5" + plain[4:], "its header")
    bad(n, "checksum", plain[:170] + bytes([plain[170] ^ 1]) + plain[171:], "checksum")
    bad(n, "packed-flipped", packed[:60] + bytes([packed[60] ^ 255]) + packed[61:], "damaged")
    at = packed.rindex(b"PK\1\2")
    bad(n, "size", packed[:at + 24] + struct.pack("<I", 1627) + packed[at + 28:], "its compressed data")
    bad(n, "bomb", packed[:at + 24] + struct.pack("<I", 2**32 - 2) + packed[at + 28:], "its size is beyond what deflate can")
    bad(n, "method", packed[:at + 10] + struct.pack("<H", 12) + packed[at + 12:], "is compressed in a way that is not read")
    bad(n, "encrypted", packed[:at + 8] + struct.pack("<H", 1) + packed[at + 10:], "is encrypted")
    bad(n, "array", zipped({"x.npy": b"no array"}), 'array "x": is no .npy file by its first bytes')


def write_norb(bad, good):
    def matrix(mark, extents, data, dimensions=None):
        return struct.pack("<II", mark, len(extents) if dimensions is None else dimensions) + struct.pack(
            f"<{max(3, len(extents))}I", *extents, *[1] * (3 - len(extents))) + data

    plain = matrix(0x1E3D4C55, [2, 2, 1, 3], bytes(12))
    good("norb", "bytes", plain)
    good("norb", "whole", matrix(0x1E3D4C54, [2], bytes(8)))
    good("norb", "real", matrix(0x1E3D4C51, [1, 2], bytes(8)))
    good("norb", "double", matrix(0x1E3D4C53, [1, 1, 1], bytes(8)))
    good("norb", "short", matrix(0x1E3D4C56, [2, 1, 1], bytes(4)))
    n = "norb"
    bad(n, "empty", b"", "ends within its header")
    bad(n, "text", b"once upon a time", "is no matrix of small NORB by its first bytes")
    bad(n, "matlab", b"MATLAB 5.0 MAT-file, Platform: GLNXA64" + bytes(90), "is MATLAB's format, not a matrix of small NORB")
    bad(n, "header-cut", plain[:20], "ends within its header")
    bad(n, "data-cut", plain[:-1], "its header, 2×2×1×3, does not fit its 35 bytes")
    bad(n, "data-behind", plain + b"x", "its header, 2×2×1×3, does not fit its 37 bytes")
    bad(n, "no-dimensions", matrix(0x1E3D4C55, [], b"", 0), "says it has 0 dimensions")
    bad(n, "dimensions", matrix(0x1E3D4C55, [1] * 9, b"x"), "says it has 9 dimensions")
    bad(n, "extent-zero", matrix(0x1E3D4C55, [2, 0, 1], b""), "does not fit its")
    bad(n, "overflow", matrix(0x1E3D4C55, [2**31, 2**31, 2**31, 2**31], b"x"), "does not fit its")


def write_list(bad, good):
    for name, text in {"commas": "file,class\n\"x/a b.png\",dog\n2.png,cat", "tabs": "a.png\tdog\r\nb.png\tcat\r\n",
                       "blanks": "x/a b.png dog\n\n2.png   cat\n", "mark": "\ufeffa.png 1\n"}.items():
        good("list", name, text.encode())
    b, no_pair = "list", ": is not a path and a label; write e.g. photos/1.jpg,cat"
    bad(b, "empty", b"", ": lists no pictures; write lines such as photos/1.jpg,cat")
    bad(b, "names-only", b"file,class\n", ": lists no pictures; write lines such as photos/1.jpg,cat")
    bad(b, "no-label", b"a.png dog\nb.png\n", ": line 2" + no_pair)
    bad(b, "three-fields", b"a.png,dog\nb.png,dog,1\n", ": line 2" + no_pair)
    bad(b, "no-path", b"a.png,dog\n ,dog\n", ": line 2" + no_pair)
    bad(b, "open-quote", b'a.png,dog\n"b.png,dog\nc.png,dog\n', ": line 2: a quote is not closed in the record that begins here; close it")
    bad(b, "nul", b"a.png \0\n", ": holds a NUL byte, so it is no text; ")
    bad(b, "utf-16", "a.png dog\n".encode("utf-16"), ": is UTF-16; save it as UTF-8")


def write_augment(bad, good):
    number = "augmentation \"shift:1e400\": PIXELS is \"1e400\"; it must be whole, and from 1 to 65535"
    for name, text, said in (
            ("unknown", "flip,sharpened", 'augmentation "sharpened" is not known; use flip:P, '),
            ("no-name", "0.5,flip", 'augmentations "0.5,flip": "0.5" belongs to no augmentation; begin with the name of one'),
            ("gap", "flip,,vflip", 'augmentations "flip,,vflip": a name is missing; write e.g. flip,shift:4'),
            ("lacking", "shift", 'augmentation "shift": PIXELS is missing; write shift:PIXELS as in shift:4'),
            ("range", "flip:2", 'augmentation "flip:2": P is 2; it must be from 0 to 1'),
            ("overflow", "shift:1e400", number),
            ("twice", "flip:p=0.1,p=0.2", 'augmentation "flip:p=0.1,p=0.2": p is given twice; give it once'),
            ("word", "shift:4,border=mirror", 'border is "mirror"; it must be constant, edge, reflect or symmetric'),
            ("too-many", "alternating-flip:1", ": 1 is one too many; alternating-flip takes nothing"),
            ("order", "mixup,flip", 'augmentation "flip" stands behind "mixup", which mixes samples; write what mixes last'),
            ("contradiction", "scale:1.2,0.8", ": least is 1.2 and most 0.8; the second must not be below the first"),
            ("control", "fl\x1bip\n", 'augmentation "fl\\x1bip" is not known; ')):
        bad("augment", name, text.encode(), said)


def write(bad, good):
    write_npy(bad, good)
    write_npz(bad, good)
    write_norb(bad, good)
    write_csv(bad, good)
    write_list(bad, good)
    write_augment(bad, good)
    write_pictures(bad, good)
    write_tar(bad, good)
    write_cifar(bad, good)
