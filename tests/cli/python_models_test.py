#!/usr/bin/env python3
"""Models made and changed in Python: what docs/formats.md shows, and what is said of files that are not so.

CHALKGRAD_PYTHON names a Python with numpy and safetensors; the tests are skipped where there is none.
"""
import os
import re
import subprocess
import sys

from support import CliTest, LIMIT, ROOT, main, png

PYTHON = os.environ.get("CHALKGRAD_PYTHON", sys.executable)
EDIT = """
import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
tensors = load_file("m.safetensors")
with safe_open("m.safetensors", "np") as file:
    metadata = file.metadata()
def save(metadata=metadata, without=()):
    save_file(tensors, "edited.safetensors", {key: text for key, text in metadata.items() if key not in without})
checksum = ("chalkgrad.sha256", "chalkgrad.format")
"""


class ModelsFromPython(CliTest):
    def setUp(self):
        super().setUp()
        self.good("train", "--net", "10n", "--epochs", 1, "--quiet", "--out", self.path("m.safetensors"))

    def python(self, code):
        run = subprocess.run([PYTHON, "-c", code], cwd=self.folder, capture_output=True, text=True, timeout=LIMIT)
        self.assertEqual(run.returncode, 0, run.stderr)

    def edited(self, code):
        self.python(EDIT + code)
        return self.path("edited.safetensors")

    def test_the_documents_examples_load(self):
        page = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
        makes, edits = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
        self.python(makes)
        self.python(edits)
        for name in ("made.safetensors", "edited.safetensors"):
            with self.subTest(name):
                self.assertIn("accuracy", self.good("eval", self.path(name), "--data", "digits"))
                self.good("predict", self.path(name), self.path("image.png", png(8, 8, lambda x, y: 30 * x)))

    def test_messages_name_the_way_and_it_works(self):
        both = "remove chalkgrad.sha256 and chalkgrad.format from its metadata"
        change = 'tensors["dense1.bias"] = tensors["dense1.bias"] + np.float32(1)\n'
        for code in (change + "save()", change + 'save(without=checksum[:1])',
                     'del tensors["dense1.bias.momentum"]\nsave()'):
            with self.subTest(code):
                self.refused(1, ["edited.safetensors: another program has changed it", both], "eval", self.edited(code))
        self.good("eval", self.edited(change + "save(without=checksum)"))
        self.good("eval", self.edited("save()"))  # saved again as it was

        self.refused(1, ["has no chalkgrad.version in its metadata", "docs/formats.md"], "eval",
                     self.edited("save({})"))
        self.refused(1, ['tensor "dense1.bias" holds "F64"', 'astype("float32")'], "eval",
                     self.edited('tensors["dense1.bias"] = np.zeros(10)\nsave(without=checksum)'))
        self.good("eval", self.edited('tensors["dense1.bias"] = np.zeros(10).astype("float32")\nsave(without=checksum)'))

    def test_a_model_without_its_optimizers_state_can_be_evaluated(self):
        slim = 'tensors = {name: t for name, t in tensors.items() if not name.endswith(".momentum")}\n'
        self.good("eval", self.edited(slim + "save(without=checksum)"))
        self.good("info", self.path("edited.safetensors"))

    def test_metadata_out_of_range(self):
        wrong = 'import json\nmetadata["chalkgrad.training"] = json.dumps(json.loads(metadata["chalkgrad.training"]) | {"batch": 0})\n'
        for command in (["eval"], ["info"], ["train", "--resume"]):
            self.refused(1, ["edited.safetensors: metadata chalkgrad.training: batch is 0; it must be whole, and from 1",
                             "remove chalkgrad.training and chalkgrad.position"],
                         *command, self.edited(wrong + "save(without=checksum)"))
        self.good("eval", self.edited(wrong + 'save(without=(*checksum, "chalkgrad.training", "chalkgrad.position"))'))


if __name__ == "__main__":
    if subprocess.run([PYTHON, "-c", "import numpy, safetensors"], capture_output=True).returncode != 0:
        print(f"SKIPPED: {PYTHON} has no numpy or no safetensors")
        sys.exit(77)
    main()
