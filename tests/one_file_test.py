#!/usr/bin/env python3
"""The program is one file that can be copied to any Linux: one_file_test.py PATH_OF_CHALKGRAD [MOST_BYTES].

It is linked statically; and, if a number is given, it has at most that many bytes without symbols.
"""
import pathlib
import subprocess
import sys
import tempfile


def main(path, most=None):
    segments = subprocess.run(["readelf", "-lW", path], capture_output=True, text=True, check=True).stdout
    if " LOAD " not in segments or " INTERP " in segments:
        return (f"{path} needs shared libraries. If there are archives of all libraries (./dev install-deps build), this "
                "build folder may remember others: remove its CMakeCache.txt")
    with tempfile.TemporaryDirectory() as folder:
        stripped = pathlib.Path(folder, "stripped")
        subprocess.run(["strip", "-o", stripped, path], check=True)
        size = stripped.stat().st_size
    print(f"{path}: one file, {size / 1e6:.2f} MB without symbols")
    if most and size > int(most):
        return f"that is more than {int(most) / 1e6:.2f} MB; docs/adr/044-one-static-program.md says where bytes were found"
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
