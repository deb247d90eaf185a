#!/usr/bin/env python3
"""Checks that every relative link and #heading in the Markdown files leads somewhere. Prints what does not; exit 1."""
import pathlib
import re
import sys
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent
SKIPPED_FOLDERS = {"build", ".git", ".fresh"}
LINK = re.compile(r"!?\[[^\]\n]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
FENCE = re.compile(r"^(```|~~~).*?^\1[ \t]*$", re.MULTILINE | re.DOTALL)


def prose(text):
    """The text without code, in which brackets mean something else."""
    return re.sub(r"`[^`\n]*`", "", FENCE.sub("", text))


def anchors(text):
    """The names by which a page's headings can be linked to, as GitHub makes them."""
    found = set()
    for heading in re.findall(r"^#{1,6}\s+(.*?)\s*#*$", FENCE.sub("", text), re.MULTILINE):
        heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        found.add(re.sub(r"[^\w\- ]", "", heading).replace(" ", "-"))
    return found | set(re.findall(r"<a (?:id|name)=\"([^\"]+)\"", text))


def main():
    pages = [p for p in ROOT.rglob("*.md") if not SKIPPED_FOLDERS & set(p.relative_to(ROOT).parts)]
    links = wrong = 0
    for page in sorted(pages):
        for target in LINK.findall(prose(page.read_text(encoding="utf-8"))):
            if re.match(r"[a-z][a-z0-9+.-]*:", target):
                continue  # another site's: nothing is fetched here
            links += 1
            path, _, anchor = urllib.parse.unquote(target).partition("#")
            aim = (page.parent / path).resolve() if path else page
            problem = None
            if not aim.exists():
                problem = f"there is no {path}"
            elif anchor and aim.suffix == ".md" and anchor not in anchors(aim.read_text(encoding="utf-8")):
                problem = f"{path or 'this page'} has no heading #{anchor}"
            if problem:
                wrong += 1
                print(f"{page.relative_to(ROOT)}: link to {target}: {problem}")
    print(f"{links} links in {len(pages)} documents, {wrong} lead nowhere")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
