#!/usr/bin/env python3
"""Checks the form of findings/*.sh without running them: CONTRIBUTING.md states it. First it checks itself on scripts
that break each rule. Exit status 1 if anything is wrong.
"""
import os
import pathlib
import re
import subprocess
import sys

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "findings"
SECTIONS = ("One would guess", "What happens", "Versions", "Who is hurt")
PINNED = {  # how a package of each installer is pinned
    "pip install": r"\S+==\S+$|.*\.(whl|tar\.gz)$",
    "npm install": r"\S+@\d\S*$",
    "apt-get download": r"\S+=\S+$",
    "cargo install": r"\S+@\d\S*$",
}


def mistakes(text):
    """What is wrong with a script."""
    lines = text.splitlines()
    wrong = []
    if lines[:1] != ["#!/usr/bin/env bash"]:
        wrong.append("begins with #!/usr/bin/env bash")
    comment = []
    for line in lines[1:]:
        if not line.startswith("#"):
            break
        comment.append(line)
    about = "\n".join(comment)
    found = re.findall(r"^# ([A-Z][^:\n]*): +\S", about, re.MULTILINE)
    if tuple(s for s in found if s in SECTIONS) != SECTIONS:
        wrong.append("its first comment says, in this order: " + ", ".join(f'"# {s}: …"' for s in SECTIONS))
    if not re.search(r"^# Versions:(.|\n#  )*\d+\.\d", about, re.MULTILINE):
        wrong.append("says which versions it saw, in numbers")
    code = [line for line in lines[1 + len(comment):] if not line.lstrip().startswith("#")]
    if next(filter(str.strip, code), "") != "set -eu":
        wrong.append("its first command is set -eu")
    body = "\n".join(code)
    if "mktemp -d" not in body or not re.search(r"^trap '.*rm -rf.*' EXIT$", body, re.MULTILINE):
        wrong.append("works in a folder of mktemp -d, which a trap removes")
    for code_, why in ((1, "where something else happened"), (77, "where it cannot run")):
        if not re.search(rf"\bexit {code_}\b", body):
            wrong.append(f"exits with {code_} {why}")
    if "chalkgrad" in body.lower():
        wrong.append("does not run chalkgrad")
    if re.search(r"\bsudo\b|apt(-get)? (-\S+ )*install\b", body):
        wrong.append("installs nothing on the machine, only into its folder")
    for installer, pinned in PINNED.items():
        for words in re.findall(rf"{installer}([^;|&<>\n]*)", body):
            for word in words.split():
                word = word.strip("\"'")
                if not word.startswith("-") and not re.match(pinned, word):
                    wrong.append(f"pins every package: {installer} {word}")
    return wrong


GOOD = """#!/usr/bin/env bash
# One would guess: one plus one is two.
# What happens: it is three, and
#   sometimes four.
# Versions: sums 1.2.3
# Who is hurt: whoever adds.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv" || exit 77
"$folder"/venv/bin/pip install --quiet "sums==1.2.3" || exit 77
test "$("$folder"/venv/bin/python3 -m sums)" = 3 || exit 1
"""

BROKEN = {  # what is replaced by what, and what is then wrong
    ("#!/usr/bin/env bash", "#!/bin/sh"): "begins with",
    ("# What happens: it is three, and", "# It is three, and"): "its first comment says",
    ("# Who is hurt: whoever adds.", "# Who is hurt:"): "its first comment says",
    ("sums 1.2.3", "the newest sums"): "in numbers",
    ("set -eu", "set -e"): "its first command",
    ("mktemp -d", "echo /tmp/sums"): "a folder of mktemp -d",
    ("trap 'rm -rf", "true 'rm -rf"): "a folder of mktemp -d",
    ("|| exit 1\n", "\n"): "exits with 1 ",
    ("exit 77", "exit 7"): "exits with 77 ",
    ("python3 -m sums", "chalkgrad"): "does not run chalkgrad",
    ("python3 -m venv", "sudo apt-get install python3-venv; python3 -m venv"): "installs nothing on the machine",
    ("sums==1.2.3", "sums"): "pins every package: pip install sums",
}


def check_self():
    assert mistakes(GOOD) == [], mistakes(GOOD)
    for (old, new), expected in BROKEN.items():
        assert old in GOOD
        wrong = mistakes(GOOD.replace(old, new))
        assert len(wrong) == 1 and expected in wrong[0], f"expected one mistake, '{expected}', got {wrong}"


def main():
    check_self()
    wrong = []
    scripts = sorted(path for path in FOLDER.rglob("*") if path.is_file() and path.suffix != ".md")
    for path in scripts:
        name = f"findings/{path.relative_to(FOLDER)}"
        if path.suffix != ".sh" or path.parent != FOLDER:
            wrong.append(f"{name}: a finding is one file, findings/NAME.sh")
            continue
        wrong += [f"{name}: a finding {mistake}" for mistake in mistakes(path.read_text(encoding="utf-8"))]
        if not os.access(path, os.X_OK):
            wrong.append(f"{name}: cannot be run; chmod +x")
        syntax = subprocess.run(["bash", "-n", path], capture_output=True, text=True)
        if syntax.returncode != 0:
            wrong.append(f"{name}: {syntax.stderr.strip()}")
    print("\n".join(wrong + [f"{len(scripts)} findings, {len(wrong)} wrong"]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
