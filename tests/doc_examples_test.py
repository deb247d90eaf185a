#!/usr/bin/env python3
"""Compares the examples in the documents with what the command prints:

- Each block of ```chalk is given to `chalkgrad check -`, one of ```latex to `chalkgrad check paper.tex`, and the block of
  ```text below it must be its output.
- A block of ```text below a line "chalkgrad derive …" must be what that prints.
- A block of ```chalk NAME is a file of that name, and below a line `chalkgrad check --grade …` stands what it prints.
- What the README shows of `./dev demo` must be what `chalkgrad train` prints, except for the speed and the machine.
- A block of ```text OPTIONS is an excerpt of what the command that the page shows prints with these options. A line "…"
  is for any number of lines left out; all others must be there, in this order.

    doc_examples_test.py CHALKGRAD            compares
    doc_examples_test.py CHALKGRAD --write    writes the outputs into the pages (excerpts are chosen by hand)
"""
import difflib
import functools
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md"] + [
    ROOT / "docs" / page
    for page in ("check.md", "derive.md", "latex.md", "networks.md", "teaching.md", "walk-through.md")]
EXAMPLE = re.compile(r"```(chalk|latex)\n(.*?)```\n```text\n(.*?)```", re.DOTALL)
FILE = re.compile(r"```(?:chalk|latex|markdown) (\S+)\n(.*?)```", re.DOTALL)
GRADE = re.compile(r"^    chalkgrad (check --grade [^\n]*)\n\n```text\n(.*?)```", re.DOTALL | re.MULTILINE)
EXCERPT = re.compile(r"```text (--.*)\n((?:.*\n)*?)```")
COMMAND = re.compile(r"^    chalkgrad (train .*?)(?: --print-after \w+)?$", re.MULTILINE)
DERIVATION = re.compile(r"(?<=^    chalkgrad )(derive [^\n|]*)\n\n```text\n(.*?)```", re.DOTALL | re.MULTILINE)
DEMO = re.compile(r"(?<=```\n)data     digits.*?(?=```)", re.DOTALL)


def same_everywhere(lines):
    """The output without what depends on the machine."""
    lines = [line for line in lines if not line.startswith("running")]
    return [re.sub(r"^(\s*\d+/\d+ .*\S)\s+[\d,]+$", r"\1", line) for line in lines]


@functools.lru_cache
def printed_by(*command):
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=ROOT)
    return (run.stdout + run.stderr).splitlines()


def missing_line(excerpt, printed):
    """The first line of the excerpt that is not where it should be, or nothing."""
    at, skips = 0, True
    for line in excerpt:
        if line == "…":
            skips = True
            continue
        try:
            found = printed.index(line, at)
        except ValueError:
            return line
        if found > at and not skips:
            return line
        at, skips = found + 1, False
    return None


def wrong_excerpts(page, text, chalkgrad):
    """How many excerpts there are, and what is wrong with them."""
    excerpts = EXCERPT.findall(text)
    wrong = []
    for options, lines in excerpts:
        command = COMMAND.search(text).group(1)
        printed = printed_by(chalkgrad, *command.split(), *options.split())
        missing = missing_line(same_everywhere(lines.splitlines()), same_everywhere(printed))
        if missing is not None:
            nearest = difflib.get_close_matches(missing, printed, n=1, cutoff=0) or ["nothing"]
            wrong.append(f"{page}: `chalkgrad {command} {options}` does not print, in this place,\n{missing}\n"
                         f"but, for example,\n{nearest[0]}")
    return len(excerpts), wrong


def main():
    chalkgrad = pathlib.Path(sys.argv[1]).resolve()
    wrong = []
    count = 0
    for page in PAGES:
        text = page.read_text(encoding="utf-8")

        def example(found, name=page.name):
            language, text, said = found.groups()
            with tempfile.TemporaryDirectory() as folder:
                file = pathlib.Path(folder) / "paper.tex"
                file.write_text(text, encoding="utf-8")
                run = subprocess.run([chalkgrad, "check", file if language == "latex" else "-"], input=text,
                                     capture_output=True, text=True, timeout=60)
            printed = run.stdout + run.stderr
            if printed != said:
                wrong.append(f"{name}: this prints\n{printed}but the page says\n{said}")
            return f"```{language}\n{text}```\n```text\n{printed}```"

        def derivation(found, name=page.name):
            printed = "\n".join(printed_by(chalkgrad, *found.group(1).split())) + "\n"
            if printed != found.group(2):
                wrong.append(f"{name}: this prints\n{printed}but the page says\n{found.group(2)}")
            return f"{found.group(1)}\n\n```text\n{printed}```"

        def demo(found, name=page.name):
            printed = subprocess.run([chalkgrad, "train"], capture_output=True, text=True, timeout=120).stdout
            if same_everywhere(printed.splitlines()) != same_everywhere(found.group().splitlines()):
                wrong.append(f"{name}: the demo prints\n{printed}but the page says\n{found.group()}")
            return printed

        def grade(found, name=page.name, text=text):
            with tempfile.TemporaryDirectory() as folder:
                for file, content in FILE.findall(text):
                    (pathlib.Path(folder) / file).write_text(content, encoding="utf-8")
                run = subprocess.run([chalkgrad, *found.group(1).split()], capture_output=True, text=True, timeout=60, cwd=folder)
            if run.stdout + run.stderr != found.group(2):
                wrong.append(f"{name}: {found.group(1)} prints\n{run.stdout}{run.stderr}but the page says\n{found.group(2)}")
            return f"    chalkgrad {found.group(1)}\n\n```text\n{run.stdout}{run.stderr}```"

        written, examples = EXAMPLE.subn(example, text)
        written, grades = GRADE.subn(grade, written)
        written, derivations = DERIVATION.subn(derivation, written)
        written, demos = DEMO.subn(demo, written)
        excerpts, stale = wrong_excerpts(page.name, text, chalkgrad)
        wrong += stale
        count += examples + grades + derivations + demos + excerpts
        if "--write" in sys.argv:
            page.write_text(written, encoding="utf-8")
    if "--write" in sys.argv:
        return 0
    print("\n".join(wrong) or f"{count} examples print what the documents say")
    return 1 if wrong or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
