#!/usr/bin/env python3
"""Writes tests/data/sets: small sets of data in the formats that chalkgrad reads, made with the tools people use, and
expected.txt, what those tools read from them.

    python3 -m venv /tmp/v && /tmp/v/bin/pip install -r tools/data-sets-requirements.txt
    /tmp/v/bin/python tools/make_data_sets.py

expected.txt has one line for each part of a set, with tabs between: what follows --data ({} is the folder of the sets),
"train" or "test", the number of samples, the shape of one, "bytes" or "values" (32-bit floats), the SHA-256 of all of
them, the labels (or the SHA-256 of targets) and the names of the classes. src/data/sources/tools_test.cc reads it.
"""
import gzip
import hashlib
import io
import pathlib
import pickle
import sys
import tarfile
import tempfile

import numpy as np
from PIL import Image, ImageOps

SETS = pathlib.Path(__file__).resolve().parent.parent / "tests" / "data" / "sets"
lines = []


def sha(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def expect(spec, part, x, y, names):
    """x: N × shape, bytes or numbers; y: N labels, or N × … targets (then there are no names)."""
    x = np.asarray(x)
    if x.dtype != np.uint8:
        x = x.astype("<f4")
    y = np.asarray(y)
    answers = ",".join(str(int(label)) for label in y) if names else sha(y.astype("<f4"))
    lines.append("\t".join([spec, part, str(len(x)), "×".join(map(str, x.shape[1:])),
                            "bytes" if x.dtype == np.uint8 else "values", sha(x), answers, ",".join(names)]))


def smooth(rng, *shape):
    """Pictures of few colours, which compress well: (…, rows, columns)."""
    *many, rows, columns = shape
    colours = rng.integers(0, 256, (*many, 1, 1))
    ramp = np.add.outer(np.arange(rows) * 3, np.arange(columns) * 2)
    return ((colours + ramp) % 256).astype(np.uint8)


# ---- CIFAR. torchvision reads the Python version, of which these are the arrays.
def cifar():
    import torchvision

    class Unchecked10(torchvision.datasets.CIFAR10):
        meta = torchvision.datasets.CIFAR10.meta | {"md5": None}

        def _check_integrity(self):
            return True

    class Unchecked100(torchvision.datasets.CIFAR100):
        meta = torchvision.datasets.CIFAR100.meta | {"md5": None}

        def _check_integrity(self):
            return True

    rng = np.random.default_rng(15)

    def both(reader, archive, python, files, classes, names_files, meta):
        """files: name in the binary version → name in the Python version."""
        with tempfile.TemporaryDirectory() as place:
            folder = pathlib.Path(place) / python
            folder.mkdir()
            binary = {}
            for name, of_python in files.items():
                pixels = smooth(rng, 3, 3, 32, 32)
                labels = [rng.integers(0, count, 3) for count in classes]
                binary[name] = b"".join(
                    bytes(int(of_all[i]) for of_all in labels) + pixels[i].tobytes() for i in range(3))
                keys = ["labels"] if len(classes) == 1 else ["coarse_labels", "fine_labels"]
                content = {"data": pixels.reshape(3, 3072)} | {k: list(map(int, v)) for k, v in zip(keys, labels)}
                (folder / of_python).write_bytes(pickle.dumps(content))
            (folder / meta[0]).write_bytes(pickle.dumps(meta[1]))
            unpacked = io.BytesIO()
            with tarfile.open(fileobj=unpacked, mode="w", format=tarfile.USTAR_FORMAT) as tar:
                for name, data in (binary | names_files).items():
                    info = tarfile.TarInfo(f"{archive.removesuffix('.tar.gz')}/{name}")
                    info.size = len(data)
                    tar.addfile(info, io.BytesIO(data))
            (SETS / archive).write_bytes(gzip.compress(unpacked.getvalue(), 9, mtime=0))
            for part in ("train", "test"):
                seen = reader(place, train=part == "train")
                yield part, seen.data.transpose(0, 3, 1, 2), seen.targets, seen

    ten = "airplane automobile bird cat deer dog frog horse ship truck".split()
    files = {f"data_batch_{i}.bin": f"data_batch_{i}" for i in range(1, 6)} | {"test_batch.bin": "test_batch"}
    names = {"batches.meta.txt": "".join(name + "\n" for name in ten).encode() + b"\n"}
    for part, x, y, seen in both(Unchecked10, "cifar-10-binary.tar.gz", "cifar-10-batches-py", files, [10], names,
                                 ("batches.meta", {"label_names": ten})):
        expect("cifar10:{}/cifar-10-binary.tar.gz", part, x, y, seen.classes)
    fine, coarse = [f"thing_{i:02}" for i in range(100)], [f"kind_{i:02}" for i in range(20)]
    names = {"fine_label_names.txt": "\n".join(fine).encode() + b"\n",
             "coarse_label_names.txt": "\n".join(coarse).encode() + b"\n"}
    for part, x, y, seen in both(Unchecked100, "cifar-100-binary.tar.gz", "cifar-100-python",
                                 {"train.bin": "train", "test.bin": "test"}, [20, 100], names,
                                 ("meta", {"fine_label_names": fine, "coarse_label_names": coarse})):
        expect("cifar100:{}/cifar-100-binary.tar.gz", part, x, y, seen.classes)
        python = pickle.loads((pathlib.Path(seen.root) / "cifar-100-python" / part).read_bytes())
        expect("cifar100:{}/cifar-100-binary.tar.gz,labels=coarse", part, x, python["coarse_labels"], coarse)


# ---- Pictures. torchvision says which files there are and in which order; Pillow decodes them.
def seen(path):
    """As a person sees it: upright, on white, and of 16 bits the upper 8."""
    picture = ImageOps.exif_transpose(Image.open(path))
    if picture.mode.startswith("I"):
        return Image.fromarray((np.asarray(picture).astype(np.uint16) >> 8).astype(np.uint8))
    if "transparency" in picture.info or picture.mode in ("RGBA", "LA", "PA"):
        with_opacity = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), with_opacity).convert("RGB")
    return picture


def planes(picture, mode):
    array = np.asarray(picture.convert(mode))
    return array[None] if mode == "L" else array.transpose(2, 0, 1)


def pictures():
    import torchvision

    rng = np.random.default_rng(7)
    rows, columns = 10, 12

    def grey():
        return Image.fromarray(smooth(rng, rows, columns))

    def colour():
        return Image.fromarray(smooth(rng, 3, rows, columns).transpose(1, 2, 0))

    def put(name, picture, **options):
        path = SETS / "pictures" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path, **options)

    opacity = Image.fromarray(smooth(rng, rows, columns))
    put("train/cat/a.png", colour())
    put("train/cat/b.jpg", colour(), quality=90, subsampling=2)
    put("train/cat/c.JPEG", colour(), quality=75, progressive=True)
    put("train/cat/deeper/z.png", grey())
    put("train/cat/deeper-/y.bmp", colour())
    put("train/cat/e.ppm", colour())
    put("train/Dog/grey.pgm", grey())
    put("train/Dog/grey.jpg", grey())
    put("train/Dog/palette.png", colour().quantize(7))
    put("train/Dog/opacity.png", Image.merge("RGBA", (*colour().split(), opacity)))
    put("train/Dog/grey-opacity.png", Image.merge("LA", (grey(), opacity)))
    put("train/Dog/sixteen.png", Image.fromarray(smooth(rng, rows, columns).astype(np.uint16) * 257))
    put("train/10/one.png", grey().convert("1"))
    put("train/10/one.pbm", grey().convert("1"))
    put("train/2/palette.bmp", grey().quantize(5))
    put("train/2/grey.bmp", grey())
    put("train/2/cmyk.jpg", colour().convert("CMYK"))
    put("train/2/opacity.bmp", Image.merge("RGBA", (*colour().split(), Image.new("L", (columns, rows), 255))))
    exif = Image.Exif()
    exif[0x0112] = 6
    put("train/Ä/phone.jpg", colour().transpose(Image.Transpose.ROTATE_90), exif=exif)
    for name, number in (("cat", 1), ("Ä", 2)):
        put(f"test/{name}/{number}.png", colour())
    reference, tests = (torchvision.datasets.ImageFolder(SETS / "pictures" / part, loader=seen, is_valid_file=lambda path: True)
                        for part in ("train", "test"))
    for mode, channels in (("RGB", ""), ("L", ",channels=1")):
        spec = "folder:{}/pictures" + channels
        expect(spec, "train", [planes(x, mode) for x, _ in reference], [y for _, y in reference], reference.classes)
        expect(spec, "test", [planes(x, mode) for x, _ in tests],
               [reference.class_to_idx[tests.classes[y]] for _, y in tests], reference.classes)


def main():
    SETS.mkdir(parents=True, exist_ok=True)
    cifar()
    pictures()
    (SETS / "expected.txt").write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    print(f"{SETS}: {sum(f.stat().st_size for f in SETS.rglob('*') if f.is_file()):,} bytes")


if __name__ == "__main__":
    sys.exit(main())
