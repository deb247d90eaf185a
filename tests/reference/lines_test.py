#!/usr/bin/env python3
"""Runs the line that each page of docs/reference shows: all of them must succeed.

    lines_test.py CHALKGRAD [NAME…]     those of all pages, or of these
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PAGES = ROOT / "docs" / "reference"
MNIST = ROOT.parent / "shared" / "data" / "mnist"
LINE = re.compile(r"^```sh\n(.*?)\n```$", re.DOTALL | re.MULTILINE)


def main():
    chalkgrad, names = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]
    pages = [page for page in sorted(PAGES.glob("*/*.md")) if not names or page.stem in names]
    wrong, skipped, slowest = [], [], (0, "")
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "chalkgrad").symlink_to(chalkgrad)
        environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
        data = pathlib.Path(folder) / "data"  # the lines name a folder of the reader's
        shutil.copytree(ROOT / "tests" / "data" / "sets", data)
        if MNIST.exists():
            (data / "mnist").symlink_to(MNIST)
        for page in pages:
            name = page.relative_to(PAGES)
            lines = LINE.findall(page.read_text(encoding="utf-8"))
            if len(lines) != 1:
                wrong.append(f"{name}: {len(lines)} lines that run, not 1")
                continue
            if "mnist:" in lines[0] and not MNIST.exists():
                skipped.append(str(name))
                continue
            start = time.monotonic()
            run = subprocess.run(["sh", "-c", lines[0]], cwd=folder, env=environment, capture_output=True, text=True,
                                 timeout=300)
            slowest = max(slowest, (time.monotonic() - start, str(name)))
            if run.returncode != 0:
                wrong.append(f"{name}:\n{lines[0]}\n{run.stdout[-500:]}{run.stderr}")
    for each in wrong:
        print(each, file=sys.stderr)
    print(f"{len(pages)} pages, {len(pages) - len(skipped) - len(wrong)} lines ran in {time.monotonic() - began:.1f} s, "
          f"the slowest in {slowest[0]:.1f} s ({slowest[1]}); {len(wrong)} wrong"
          + (f"; skipped without ../shared/data/mnist: {', '.join(skipped)}" if skipped else ""))
    return 1 if wrong or not pages else 0


if __name__ == "__main__":
    sys.exit(main())
