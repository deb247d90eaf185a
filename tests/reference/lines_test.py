#!/usr/bin/env python3
"""Runs the line that each page of docs/reference shows: all of them must succeed.

    lines_test.py CHALKGRAD [NAME…]     those of all pages, or of these
"""
import concurrent.futures
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
LINE = re.compile(r"^```sh\n(.*?)\n```$", re.DOTALL | re.MULTILINE)


def run(page, folder, environment):
    """What is wrong with the page's line, or nothing; and how long it took."""
    name = page.relative_to(PAGES)
    lines = LINE.findall(page.read_text(encoding="utf-8"))
    if len(lines) != 1:
        return f"{name}: {len(lines)} lines that run, not 1", 0
    began = time.monotonic()
    done = subprocess.run(["sh", "-c", lines[0]], cwd=folder, env=environment, capture_output=True, text=True,
                          timeout=300)
    wrong = None if done.returncode == 0 else f"{name}:\n{lines[0]}\n{done.stdout[-500:]}{done.stderr}"
    return wrong, time.monotonic() - began


def main():
    chalkgrad, names = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]
    pages = [page for page in sorted(PAGES.glob("*/*.md")) if not names or page.stem in names]
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        (pathlib.Path(folder) / "chalkgrad").symlink_to(chalkgrad)
        environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
        data = pathlib.Path(folder) / "data"  # the lines name a folder of the reader's
        shutil.copytree(ROOT / "tests" / "data" / "sets", data)
        shutil.copytree(data / "qmnist", data / "mnist")
        results = list(pool.map(lambda page: run(page, folder, environment), pages))
    wrong = [what for what, _ in results if what]
    for each in wrong:
        print(each, file=sys.stderr)
    seconds, slowest = max((took, page.stem) for (_, took), page in zip(results, pages))
    print(f"{len(pages)} pages, {len(pages) - len(wrong)} lines ran in {time.monotonic() - began:.1f} s, "
          f"the slowest in {seconds:.1f} s ({slowest}); {len(wrong)} wrong")
    return 1 if wrong or not pages else 0


if __name__ == "__main__":
    sys.exit(main())
