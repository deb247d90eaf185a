#!/usr/bin/env python3
"""How much memory training on a long list of pictures takes: a list that repeats the JPEGs of a folder until their files
come to so many gigabytes, of which each is decoded whenever it is needed. Prints the most memory that was resident (VmHWM),
and fails if that is more than the bound.

    bench/long_list.py FOLDER                    50 GB: hours, as every line is decoded twice before the first step
    bench/long_list.py FOLDER --lines 200000     a few minutes

FOLDER has a folder of JPEGs for each class. The rest of the command line goes to chalkgrad train.
"""
import argparse
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
NET = "8c3-relu-mp2-16c3-relu-gap-10n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--gigabytes", type=float, default=50)
    parser.add_argument("--lines", type=int, help="instead of --gigabytes")
    parser.add_argument("--size", default="32", help="what the pictures are brought to")
    parser.add_argument("--bound", type=float, default=300, help="MB")
    parser.add_argument("--program", default=ROOT / "build/release/chalkgrad")
    o, more = parser.parse_known_args()
    files = sorted(f for f in o.folder.resolve().glob("*/*") if f.suffix.lower() in (".jpg", ".jpeg"))
    if not files:
        sys.exit(f"{o.folder}: has no JPEGs in folders of classes")
    bytes_of_all = sum(f.stat().st_size for f in files)
    lines = o.lines or int(o.gigabytes * 1e9 / bytes_of_all * len(files))
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "list.txt"
        with open(path, "w", encoding="utf-8") as out:
            for i in range(lines):
                file = files[i % len(files)]
                out.write(f"{file}\t{file.parent.name}\n")
        command = [str(o.program), "train", "--data", f"list:{path},size={o.size}", "--memory", "0", "--net", NET, "--epochs", "1",
                   "--batch", "128", "--augment", "flip,shift:2", "--profile", *more]
        print(" ".join(command), flush=True)
        start = time.time()
        subprocess.run(command, check=True)
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3  # kB
    print(f"{lines:,} pictures, {lines / len(files) * bytes_of_all / 1e9:.1f} GB of files: {most:.0f} MB resident at most, "
          f"{time.time() - start:.0f} s")
    sys.exit(most > o.bound)


if __name__ == "__main__":
    main()
