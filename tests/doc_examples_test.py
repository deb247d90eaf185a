#!/usr/bin/env python3
"""Holds the examples of the documents against what the command prints: each block of ```chalk is given to `chalkgrad
check -`, and the block of ```text below it must be its output.

    doc_examples_test.py CHALKGRAD            compares
    doc_examples_test.py CHALKGRAD --write    writes the outputs into the pages
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "docs" / "check.md"]
EXAMPLE = re.compile(r"```chalk\n(.*?)```\n```text\n(.*?)```", re.DOTALL)


def main():
    chalkgrad = sys.argv[1]
    wrong = []
    count = 0
    for page in PAGES:
        text = page.read_text(encoding="utf-8")

        def example(found, name=page.name):
            run = subprocess.run([chalkgrad, "check", "-"], input=found.group(1), capture_output=True, text=True, timeout=60)
            printed = run.stdout + run.stderr
            if printed != found.group(2):
                wrong.append(f"{name}: this prints\n{printed}but the page says\n{found.group(2)}")
            return f"```chalk\n{found.group(1)}```\n```text\n{printed}```"

        written, examples = EXAMPLE.subn(example, text)
        count += examples
        if "--write" in sys.argv:
            page.write_text(written, encoding="utf-8")
    if "--write" in sys.argv:
        return 0
    print("\n".join(wrong) or f"{count} examples print what the documents say")
    return 1 if wrong or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
