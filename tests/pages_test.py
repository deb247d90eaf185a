#!/usr/bin/env python3
"""Pages that `chalkgrad derive --format html` writes, in a browser: nothing is wider than a desktop, a phone or paper,
and nothing is cut off. And documents in LaTeX: no line is too wide.

  tests/pages_test.py build/release/chalkgrad [unittest arguments]

Chromium and pdflatex are used if they are there. CHALKGRAD_AXE may name an axe.min.js (deque's axe-core), which then has
to find nothing.
"""
import html
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
CHALKGRAD = sys.argv.pop(1) if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else os.environ.get("CHALKGRAD", "")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PDFLATEX = shutil.which("pdflatex")
AXE = os.environ.get("CHALKGRAD_AXE")
WIDTHS = {"desktop": 1280, "phone": 390, "paper": 718}  # an A4 page without margins of 1 cm
PAGES = {
    "numbers": ("--net", "4c3-relu-mp2-10n", "--data", "digits", "--sample", 5),
    "update": ("--net", "30n-sigmoid-10n-sigmoid", "--input", 784, "--optimizer", "adam"),
    "batch": ("--net", "2c3z-bn-relu-res(2c3z-bn-relu-2c3z-bn)-relu-gap-2n", "--input", "1x4x4"),
    "outputs": ("--net", ROOT / "examples/networks/auxiliary.toml", "--input", "1x8x8"),
}
LOOK = """
async function look(frame) {
  const page = frame.contentDocument, width = page.documentElement.clientWidth, found = [];
  for (const e of page.querySelectorAll("body *")) {
    if (e.parentElement.closest("math")) continue;
    const scrolls = e.parentElement.closest(".scroll"), style = frame.contentWindow.getComputedStyle(e);
    const moves = scrolls && frame.contentWindow.getComputedStyle(scrolls).overflowX === "auto";
    if (!moves && e.getBoundingClientRect().right > width + 1) found.push("too wide: " + e.textContent.slice(0, 80));
    if (["hidden", "clip"].includes(style.overflowX) && e.scrollWidth > e.clientWidth + 1) found.push("cut off: " + e.className);
  }
  if (page.documentElement.scrollWidth > width) found.push("the page is " + page.documentElement.scrollWidth + " wide");
  if (frame.contentWindow.axe) {
    for (const each of (await frame.contentWindow.axe.run(page, {resultTypes: ["violations"]})).violations)
      found.push("axe: " + each.id + ", " + each.help + ": " + each.nodes[0].html.slice(0, 200));
  }
  return found;
}
addEventListener("load", async () => {
  const found = {};
  for (const frame of document.querySelectorAll("iframe")) found[frame.id] = await look(frame);
  document.getElementById("found").textContent = JSON.stringify(found);
});
"""


def derive(page, *arguments):
    return subprocess.run([CHALKGRAD, "derive", *map(str, (*PAGES[page], *arguments))], check=True, capture_output=True,
                          text=True).stdout


class Pages(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    @unittest.skipUnless(CHROMIUM, "needs chromium")
    def test_fit_screens_and_paper(self):
        script = "<script>" + pathlib.Path(AXE).read_text(encoding="utf-8") + "</script>" if AXE else ""
        for name in PAGES:
            page = derive(name, "--format", "html")
            frames = ""
            for screen, width in WIDTHS.items():
                seen = page.replace("@media print", "@media all") if screen == "paper" else page
                seen = seen.replace("</head>", script + "</head>") if screen == "phone" else seen
                frames += f'<iframe id="{screen}" style="width:{width}px;height:900px;border:0" srcdoc="{html.escape(seen)}"></iframe>'
            path = self.folder / f"{name}.html"
            path.write_text(f'<!doctype html><meta charset="utf-8"><script>{LOOK}</script>{frames}<pre id="found"></pre>',
                            encoding="utf-8")
            run = subprocess.run([CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=60000",
                                  f"--user-data-dir={self.folder / 'profile'}", "--dump-dom", path.as_uri()],
                                 check=True, capture_output=True, text=True, timeout=300)
            found = re.search(r'<pre id="found">(.+?)</pre>', run.stdout, re.DOTALL)
            self.assertTrue(found, run.stderr[-2000:])
            for screen, complaints in json.loads(html.unescape(found[1])).items():
                with self.subTest(page=name, screen=screen):
                    self.assertEqual(complaints, [])

    @unittest.skipUnless(PDFLATEX, "needs pdflatex")
    def test_have_no_line_that_is_too_wide_in_latex(self):
        for name in PAGES:
            for detail in ("full", "brief"):
                with self.subTest(page=name, detail=detail):
                    (self.folder / "page.tex").write_text(derive(name, "--format", "latex", "--detail", detail), encoding="utf-8")
                    run = subprocess.run([PDFLATEX, "-interaction=nonstopmode", "-halt-on-error", "page.tex"], cwd=self.folder,
                                         capture_output=True, text=True, errors="replace", timeout=300)
                    self.assertEqual(run.returncode, 0, run.stdout[-2000:])
                    self.assertNotIn("Overfull", run.stdout)


if __name__ == "__main__":
    if not CHROMIUM and not PDFLATEX:
        print("neither chromium nor pdflatex is there: nothing to test with")
        sys.exit(77)
    unittest.main()
