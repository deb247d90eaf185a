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


# ---- Arrays
def arrays():
    rng = np.random.default_rng(3)
    x, y = smooth(rng, 6, 4, 5, 3), np.array([0, 2, 1, 0, 2, 2])
    names = ["0", "1", "2"]
    np.savez(SETS / "keras.npz", x_train=x, y_train=y, x_test=x[:2], y_test=y[:2].astype(np.uint8)[:, None])
    read = np.load(SETS / "keras.npz")
    expect("npz:{}/keras.npz", "train", read["x_train"].transpose(0, 3, 1, 2), read["y_train"], names)
    expect("npz:{}/keras.npz", "test", read["x_test"].transpose(0, 3, 1, 2), read["y_test"].ravel(), names)
    planes_first = np.asfortranarray(rng.normal(size=(6, 2, 3, 4)).astype(">f4"))
    np.savez_compressed(SETS / "packed.npz", images=planes_first, labels=np.array(["b", "ä", "b", "a", "ä", "a"]),
                        half=rng.normal(size=(6, 7)).astype(np.float16), double=rng.normal(size=(6, 2)), long=y * 2**20,
                        flags=rng.integers(0, 2, (6, 3)).astype(bool), pixels=smooth(rng, 6, 4, 5).reshape(6, 20))
    read = np.load(SETS / "packed.npz")
    classes = sorted(set(read["labels"]))
    expect("npz:{}/packed.npz,layout=nchw", "train", read["images"], [classes.index(label) for label in read["labels"]], classes)
    expect("npz:{}/packed.npz,x=half,y=double", "train", read["half"], read["double"], [])
    expect("npz:{}/packed.npz,x=long,y=flags", "train", read["long"][:, None], read["flags"], [])
    expect("npz:{}/packed.npz,x=pixels,y=labels,shape=1x4x5", "train", read["pixels"].reshape(6, 1, 4, 5),
           [classes.index(label) for label in read["labels"]], classes)
    np.save(SETS / "x.npy", np.asfortranarray(x[..., 0]))
    np.save(SETS / "y.npy", y.astype(np.int16))
    expect("npy:{}/x.npy,labels=y.npy", "train", np.load(SETS / "x.npy")[:, None], np.load(SETS / "y.npy"), names)

    # small NORB: NumPy writes what its page describes.
    def matrix(path, array):
        mark = {"uint8": 0x1E3D4C55, "int32": 0x1E3D4C54, "float32": 0x1E3D4C51, "float64": 0x1E3D4C53, "int16": 0x1E3D4C56}
        extents = list(array.shape) + [1] * (3 - array.ndim)
        header = np.array([mark[array.dtype.name], array.ndim, *extents], "<u4").tobytes()
        data = header + array.tobytes()
        path.write_bytes(gzip.compress(data, 9, mtime=0) if path.suffix == ".gz" else data)

    (SETS / "norb").mkdir(exist_ok=True)
    pairs, kinds = smooth(rng, 5, 2, 8, 8), np.arange(5, dtype=np.int32)
    five = ["animal", "human", "airplane", "truck", "car"]
    for part, known, ending in (("training", "train", ""), ("testing", "test", ".gz")):
        stem = SETS / "norb" / f"smallnorb-5x46789x9x18x6x2x96x96-{part}"
        matrix(pathlib.Path(f"{stem}-dat.mat{ending}"), pairs)
        matrix(pathlib.Path(f"{stem}-cat.mat{ending}"), kinds)
        expect("norb:{}/norb", known, pairs, kinds, five)
        pairs, kinds = pairs[::-1], kinds[::-1]
    numbers = rng.normal(size=(5, 3, 1))
    matrix(SETS / "norb" / "double.mat", numbers)
    matrix(SETS / "norb" / "short.mat", np.array([3, 1, 0, 2, 3], np.int16))
    expect("mat:{}/norb/double.mat,labels=short.mat", "train", numbers[:, None], [3, 1, 0, 2, 3], ["0", "1", "2", "3"])


# ---- MNIST's kin, as torchvision reads them.
def idx_sets():
    import torchvision

    rng = np.random.default_rng(5)

    def write(path, array, kind=8):
        path.parent.mkdir(parents=True, exist_ok=True)
        array = array.astype({8: np.uint8, 12: ">i4"}[kind])
        header = bytes([0, 0, kind, array.ndim]) + np.array(array.shape, ">u4").tobytes()
        path.write_bytes(gzip.compress(header + array.tobytes(), 9, mtime=0) if path.suffix == ".gz"
                         else header + array.tobytes())

    # QMNIST: labels are N × 8, of which the first is the class.
    with tempfile.TemporaryDirectory() as place:
        raw = pathlib.Path(place) / "QMNIST" / "raw"
        for part, known in (("train", True), ("test", False)):
            images, labels = smooth(rng, 5, 28, 28), rng.integers(0, 10, (5, 8))
            for folder, ending in ((raw, ""), (SETS / "qmnist", ".gz")):
                write(folder / f"qmnist-{part}-images-idx3-ubyte{ending}", images)
                write(folder / f"qmnist-{part}-labels-idx2-int{ending}", labels, 12)
            seen = torchvision.datasets.QMNIST(place, what=part, compat=True, transform=np.asarray)
            expect("mnist:{}/qmnist", part, np.stack([x for x, _ in seen])[:, None], [y for _, y in seen], list("0123456789"))

    # EMNIST: torchvision leaves the pictures transposed, and has a class 0 without samples in letters.
    mapping = {label: [64 + label, 96 + label] for label in range(1, 27)}
    (SETS / "emnist").mkdir(exist_ok=True)
    (SETS / "emnist" / "emnist-letters-mapping.txt").write_text(
        "".join(f"{label} {upper} {lower}\n" for label, (upper, lower) in mapping.items()))
    with tempfile.TemporaryDirectory() as place:
        raw = pathlib.Path(place) / "EMNIST" / "raw"
        for part in ("train", "test"):
            images, labels = smooth(rng, 4, 28, 28), rng.integers(1, 27, 4)
            for folder in (raw, SETS / "emnist"):
                write(folder / f"emnist-letters-{part}-images-idx3-ubyte", images)
                write(folder / f"emnist-letters-{part}-labels-idx1-ubyte", labels)
            seen = torchvision.datasets.EMNIST(place, "letters", train=part == "train", transform=np.asarray)
            expect("emnist:{}/emnist", part, np.stack([x.T for x, _ in seen])[:, None], [y - 1 for _, y in seen],
                   [chr(64 + y) for y in mapping])

    # Images in colour.
    images = smooth(rng, 3, 6, 5, 3)
    for name, array in (("images-idx3", images), ("labels-idx1", np.arange(3))):
        write(SETS / "colour" / f"train-{name}-ubyte", array)
        write(SETS / "colour" / f"t10k-{name}-ubyte", array)
    expect("mnist:{}/colour", "train", images.transpose(0, 3, 1, 2), np.arange(3), list("0123456789"))


# ---- Tables. NumPy and scikit-learn say what the numbers, the words and the classes are.
def tables():
    from sklearn.datasets import load_iris
    from sklearn.preprocessing import LabelEncoder, OneHotEncoder

    iris = load_iris()
    words = [iris.target_names[label] for label in iris.target]
    rows = [",".join(f"{value:g}" for value in x) + f",{word}" for x, word in zip(iris.data, words)]
    (SETS / "iris.data").write_text("\n".join(rows[::5]) + "\n")
    table = np.genfromtxt(SETS / "iris.data", delimiter=",", dtype=np.float64)[:, :4]
    classes = LabelEncoder().fit(words)
    expect("csv:{}/iris.data", "train", table, classes.transform(words[::5]), list(classes.classes_))
    rng = np.random.default_rng(4)
    colours, numbers = rng.choice(["red", "green", "dark blue"], 9), rng.normal(size=9)
    (SETS / "words.csv").write_text("colour,number,label\n" + "".join(
        f'"{c}",{n!r},{i % 3}\n' for i, (c, n) in enumerate(zip(colours, numbers.tolist()))))
    encoded = OneHotEncoder(sparse_output=False).fit_transform(colours[:, None])
    expect("csv:{}/words.csv,label=label", "train", np.column_stack([encoded, numbers]), np.arange(9) % 3, ["0", "1", "2"])
    digits = smooth(rng, 4, 6, 6)
    np.savetxt(SETS / "pixels.csv", np.column_stack([np.arange(4), digits.reshape(4, 36)]), "%d", ",")
    read = np.loadtxt(SETS / "pixels.csv", delimiter=",", dtype=np.uint8)
    expect("csv:{}/pixels.csv,label=1,shape=1x6x6", "train", read[:, 1:].reshape(4, 1, 6, 6), read[:, 0], list("0123"))


def main():
    SETS.mkdir(parents=True, exist_ok=True)
    cifar()
    pictures()
    arrays()
    idx_sets()
    tables()
    (SETS / "expected.txt").write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    print(f"{SETS}: {sum(f.stat().st_size for f in SETS.rglob('*') if f.is_file()):,} bytes")


if __name__ == "__main__":
    sys.exit(main())
