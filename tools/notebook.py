#!/usr/bin/env python3
"""Runs the notebook that docs/python.md begins with, with the chalkgrad that is installed.

    tools/notebook.py             exits with 1, and shows the error, if a cell fails
    tools/notebook.py --write     writes what the cells show into the notebook
    tools/notebook.py --html FILE and the notebook as a page

It needs nbclient and ipykernel; --html nbconvert, too.
"""

import argparse
import pathlib
import sys

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

NOTEBOOK = pathlib.Path(__file__).resolve().parents[1] / "docs/first-ten-minutes.ipynb"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--html", type=pathlib.Path)
    options = parser.parse_args()
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    try:
        NotebookClient(notebook, timeout=120, kernel_name="python3", record_timing=False).execute()
    except CellExecutionError as error:
        sys.exit(str(error))
    notebook.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
                         "language_info": {"name": "python"}}
    if options.write:
        nbformat.write(notebook, NOTEBOOK)
    if options.html:
        from nbconvert import HTMLExporter

        options.html.write_text(HTMLExporter().from_notebook_node(notebook)[0], encoding="utf-8")


if __name__ == "__main__":
    main()
