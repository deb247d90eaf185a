#!/usr/bin/env python3
"""Holds the examples of the documents against what the command prints: each block of ```chalk is given to `chalkgrad
check -`, and the block of ```text below it must be its output. What the README shows of `./dev demo` must be what
`chalkgrad train` prints, but for the speed and the machine.

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
DEMO = re.compile(r"(?<=```\n)data     digits.*?(?=```)", re.DOTALL)


def same_everywhere(demo):
    """The output without what depends on the machine."""
    lines = [line for line in demo.splitlines() if not line.startswith("running")]
    return [re.sub(r"^(\s*\d+/\d+ .*\S)\s+[\d,]+$", r"\1", line) for line in lines]


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

        def demo(found, name=page.name):
            printed = subprocess.run([chalkgrad, "train"], capture_output=True, text=True, timeout=120).stdout
            if same_everywhere(printed) != same_everywhere(found.group()):
                wrong.append(f"{name}: the demo prints\n{printed}but the page says\n{found.group()}")
            return printed

        written, examples = EXAMPLE.subn(example, text)
        written, demos = DEMO.subn(demo, written)
        count += examples + demos
        if "--write" in sys.argv:
            page.write_text(written, encoding="utf-8")
    if "--write" in sys.argv:
        return 0
    print("\n".join(wrong) or f"{count} examples print what the documents say")
    return 1 if wrong or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
