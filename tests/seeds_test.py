#!/usr/bin/env python3
"""Holds docs/seeds/NNN.chalk against the documents they come from: every displayed equation must be quoted, in order,
on a line that begins with %, and be followed by at least one statement.

    seeds_test.py CHALKGRAD          checks all five, what `chalkgrad check` says of them, and the table in docs/seeds.md;
                                     exit code 77 (skipped) where the documents are not there
    seeds_test.py CHALKGRAD --write  writes that table
    seeds_test.py --quote NNN.txt    prints the lines to quote
"""
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCUMENTS = ROOT.parent / "shared" / "seeds"
BLOCK = re.compile(
    r"\$\$(?P<display>.+?)\$\$"  # $$ … $$
    r"|^(?P<numbered>[^\n\t]*)\t\(\d+\)$"  # a line with a number at its right edge, as in 000
    r"|(?<=\n\n)\((?P<empty>\d+)\)$"  # a number without an equation
    r"|^```\n(?P<code>.+?)\n```$",  # a line of code
    re.MULTILINE | re.DOTALL)


def lines_of(block):
    """The lines of an aligned block; the rows of a matrix are not lines."""
    block = re.sub(r"\\tag\s*\{[^}]*\}", "", block)
    matrices = []

    def hide(found):
        matrices.append(found.group(0))
        return f"@{len(matrices) - 1}@"

    block = re.sub(r"\\begin\{pmatrix\}.*?\\end\{pmatrix\}", hide, block, flags=re.DOTALL)
    block = re.sub(r"\\(begin|end)\{aligned\}", "", block)
    lines = []
    for line in re.split(r"\\\\", block):
        line = re.sub(r"@(\d+)@", lambda found: matrices[int(found.group(1))], line)
        line = re.sub(r"\s+", " ", line.replace("&", "" if "pmatrix" not in line else "&")).strip()
        if line.startswith("\\quad"):  # the line before goes on
            lines[-1] += " " + line
        elif line:
            lines.append(line)
    return lines


def equations(text):
    found = []
    for block in BLOCK.finditer(text):
        if block.group("display"):
            found += lines_of(block.group("display"))
        elif block.group("code"):
            found += [block.group("code").strip()]
        elif block.group("numbered"):
            found += [block.group("numbered").replace("$", "").strip()]
        elif block.group("empty"):
            found += [f"({block.group('empty')})"]
    return found


def quoted(chalk):
    """What a .chalk file quotes; and those quotes that no statement follows."""
    quotes, empty = [], []
    waiting = None
    for line in chalk.splitlines():
        text = line.strip()
        if text.startswith("%"):
            if waiting is not None:
                empty.append(waiting)
            waiting = text[1:].strip()
            quotes.append(waiting)
        elif text and not text.startswith("#"):
            waiting = None
    return quotes, empty + ([waiting] if waiting is not None else [])


def compare(name):
    """What is wrong with docs/seeds/NAME.chalk."""
    wanted = equations((DOCUMENTS / f"{name}.txt").read_text(encoding="utf-8"))
    file = ROOT / "docs" / "seeds" / f"{name}.chalk"
    if not file.exists():
        return [f"{file.name} is missing; {len(wanted)} equations to write"]
    got, empty = quoted(file.read_text(encoding="utf-8"))
    wrong = [f"{file.name}: nothing follows % {quote}" for quote in empty]
    for k in range(max(len(wanted), len(got))):
        if wanted[k:k + 1] != got[k:k + 1]:
            wrong.append(f"{file.name}: equation {k + 1} of the document is\n    {' '.join(wanted[k:k + 1]) or '(no more)'}\n"
                         f"  but the file quotes\n    {' '.join(got[k:k + 1]) or '(no more)'}")
            break
    return wrong


def ends_of(report):
    """How each quoted equation ended up, with what is quoted; and the errata."""
    quotes = []
    verdicts, errata, part = [], [], None
    for row in report["lines"]:
        if "source" in row:
            quotes.append(row["source"])
            verdicts.append({row["verdict"]})
        elif verdicts and row.get("part") == part:
            verdicts[-1].add(row["verdict"])
        part = row.get("part")
        if row["verdict"] == "erratum":
            errata.append(row)
    order = ("failed", "erratum", "verified", "except", "definition")
    return [(quote, next(end for end in order if end in v)) for quote, v in zip(quotes, verdicts)], errata


def judged(report):
    """How many of the quoted equations ended up how, and the errata."""
    quotes, errata = ends_of(report)
    ends = [end for _, end in quotes]
    return {end: ends.count(end) for end in ("verified", "erratum", "definition")}, errata


def read_from_latex(name, chalkgrad, report):
    """Of the document's equations, read straight from its own LaTeX: (the verdict of docs/seeds, that of the LaTeX or
    nothing, the equation, the message)."""
    notes = ROOT / "docs" / "seeds" / "latex" / f"{name}.notes"
    text = (DOCUMENTS / f"{name}.txt").read_text(encoding="utf-8").split("\n")
    for line, old, new in re.findall(r"^repair (\d+): (.+) -> (.+)$", notes.read_text(encoding="utf-8"), re.MULTILINE):
        text[int(line) - 1] = text[int(line) - 1].replace(old, new, 1)
    run = subprocess.run([chalkgrad, "check", "--json", "--notes", notes, DOCUMENTS / f"{name}.txt"], capture_output=True, text=True)
    rows = json.loads(run.stdout)
    found, _ = ends_of(rows)
    messages = {row["source"]: row.get("message", "") for row in rows["lines"] if "source" in row}
    spaces = r"\s|\\quad"
    plain = [re.sub(spaces, "", quote) for quote, _ in found]
    at, compared = 0, []
    for equation, (_, wanted) in zip(equations("\n".join(text)), ends_of(report)[0], strict=True):
        try:
            place = plain.index(re.sub(spaces, "", equation), at)
        except ValueError:
            compared.append((wanted, None, equation, "it is not displayed in LaTeX"))
            continue
        at = place + 1
        compared.append((wanted, found[place][1], equation, messages[found[place][0]]))
    return compared


def latex_table(read):
    """Of each document, how many equations its own LaTeX gives the same verdict, and which not."""
    lines = ["| document | equations | read from its LaTeX, with the same verdict | repairs |", "|---|--:|--:|--:|"]
    listed = []
    for name, compared in read.items():
        notes = (ROOT / "docs" / "seeds" / "latex" / f"{name}.notes").read_text(encoding="utf-8")
        good = sum(wanted == got for wanted, got, _, _ in compared)
        lines.append(f"| {name} | {len(compared)} | {good} | [{len(re.findall('^repair', notes, re.MULTILINE))}]"
                     f"(seeds/latex/{name}.notes) |")
        for wanted, got, equation, message in compared:
            if wanted != got:
                why = message if got in (None, "failed") else f"it counts as {got} here, as {wanted} above"
                listed.append(f"- {name}: `{equation}`: {why}")
    total, good = (sum(len(c) for c in read.values()),
                   sum(wanted == got for c in read.values() for wanted, got, _, _ in c))
    lines.append(f"| all | {total} | {good} | |")
    return good / total, "\n".join(lines) + "\n\n" + "\n".join(listed) + "\n"


TITLES = {
    "000": "Backpropagation, 12 November 2016: convolution, ReLU, max-pool, softmax in indices",
    "001": "Notes on backpropagation: losses, activations, layer configurations",
    "002": "Convolutional neural network (slides): N images at once, any number of layers",
    "003": "Chapter theory 5 solution, 27 September 2016: Nielsen's equations for convolutions",
    "004": "Back Propagation Explanation, 19 September 2016: f(wx − b), an activation for every node",
}


def table(reports):
    lines = ["| document | equations | verified | errata | definitions | lines checked |", "|---|--:|--:|--:|--:|--:|"]
    listed = []
    for name, report in reports.items():
        ends, errata = judged(report)
        lines.append(f"| [{name}](seeds/{name}.chalk): {TITLES[name]} | {sum(ends.values())} | {ends['verified']} | "
                     f"{ends['erratum']} | {ends['definition']} | {len(report['lines'])} |")
        for row in errata:
            quote = f"({row['label']})" if "label" in row else f"line {row['line']}"
            listed.append(f"- **{name}, {quote}**: {row['message']}\n  printed `{row['formula']}`,\n"
                          f"  right `{row['corrected']}`")
    return "\n".join(lines) + "\n\n" + "\n".join(listed) + "\n"


PAGE = ROOT / "docs" / "seeds.md"
BEGIN, END = "<!-- written by tests/seeds_test.py -->\n", "<!-- up to here -->"
LATEX_BEGIN, LATEX_END = "<!-- from their LaTeX, written by tests/seeds_test.py -->\n", "<!-- end of the LaTeX -->"


def main():
    if sys.argv[1] == "--quote":
        for line in equations(pathlib.Path(sys.argv[2]).read_text(encoding="utf-8")):
            print("%", line)
        return 0
    wrong, reports = [], {}
    for name in TITLES:
        file = ROOT / "docs" / "seeds" / f"{name}.chalk"
        run = subprocess.run([sys.argv[1], "check", "--json", file], capture_output=True, text=True)
        if run.returncode != 0:
            wrong.append(f"{file.name}: {run.stderr or run.stdout}")
            continue
        report = reports[name] = json.loads(run.stdout)
        print(f"{file.name}: {report['verified']} verified, {report['errata']} errata, "
              f"{report['definitions']} definitions, {report['failed']} failed")
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    if DOCUMENTS.is_dir():
        rate, text = latex_table({name: read_from_latex(name, sys.argv[1], report) for name, report in reports.items()})
        print(f"{100 * rate:.1f} % of the equations are read from the documents' own LaTeX and get the same verdict")
        if rate < 0.8:
            wrong.append("which should be 80 % at least")
        head, tail = rest.split(LATEX_BEGIN)
        if "--write" in sys.argv:
            rest = head + LATEX_BEGIN + "\n" + text + "\n" + LATEX_END + tail.split(LATEX_END)[1]
        elif tail.split(LATEX_END)[0].strip() != text.strip():
            wrong.append("docs/seeds.md says something else of the LaTeX; write it with tests/seeds_test.py CHALKGRAD --write")
    if "--write" in sys.argv:
        PAGE.write_text(before + BEGIN + "\n" + table(reports) + "\n" + END + rest.split(END)[1], encoding="utf-8")
        return 0
    if not wrong and rest.split(END)[0].strip() != table(reports).strip():
        wrong.append("docs/seeds.md says something else; write its table with tests/seeds_test.py CHALKGRAD --write")
    if not DOCUMENTS.is_dir():
        print("\n".join(wrong) or "SKIPPED: the documents are not here, so that nothing can be compared with them")
        return 1 if wrong else 77
    for name in TITLES:
        wrong += compare(name)
    print("\n".join(wrong) or "every displayed equation of the five documents is there")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
