#!/usr/bin/env python3
"""Models and checkpoints in tests/data/compat, written by earlier programs: they load, and go on to the same bits."""
import hashlib
import json
import pathlib

from support import chalkgrad, CliTest, main, png, ROOT

FOLDER = ROOT / "tests" / "data" / "compat"


def printed(*args):
    result = chalkgrad(*args)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def trainable_sha256(model):
    """The hash that the first programs printed: over the trainable parameters alone, in order of their names."""
    raw = model.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    tensors, data = json.loads(raw[8:8 + size]), raw[8 + size:]
    tensors.pop("__metadata__")
    digest = hashlib.sha256()
    for name in sorted(tensors):
        if name.rpartition(".")[0] not in tensors and ".running_" not in name:  # neither an optimizer's nor statistics
            digest.update(data[slice(*tensors[name]["data_offsets"])])
    return digest.hexdigest()


EVALUATED = ("samples", "loss", "accuracy")  # what eval has said from the first version on


def reading(model, folder):
    """What a program reads in the model; it may use the folder."""
    image = pathlib.Path(folder, "one.png")
    image.write_bytes(png(24, 24, lambda x, y: 255 if 9 <= x <= 14 and 2 <= y <= 21 else 0))
    info = {**printed("info", model, "--json"), "weights_sha256": trainable_sha256(model)}
    return {"info": {key: info[key] for key in ("weights_sha256", "parameters", "input", "output", "classes")},
            **{part: {key: value for key, value in printed("eval", model, "--json", "--part", part).items() if key in EVALUATED}
               for part in ("test", "train")},
            "predict": [{"label": t["label"], "probability": t.get("probability", t.get("output"))}  # once one name
                        for t in printed("predict", model, image, "--json", "--top", 10)[0]["top"]]}


def resuming(checkpoint, folder):
    """What a program reaches when it goes on; it may use the folder."""
    out = pathlib.Path(folder, "resumed.safetensors")
    result = printed("train", "--resume", checkpoint, "--json", "--out", out, "--overwrite")
    result["weights_sha256"] = trainable_sha256(out)
    return {key: value for key, value in result.items() if key not in ("seconds", "model")}


class Compatibility(CliTest):
    EXPECTED = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))

    def runs(self):
        for name, expected in self.EXPECTED.items():
            with self.subTest(name):
                yield FOLDER / f"{name}.safetensors", expected

    def test_every_file_has_its_numbers(self):
        self.assertEqual({path.stem for path in FOLDER.glob("*.safetensors")}, set(self.EXPECTED))

    def test_they_are_read_and_predict_as_they_did(self):
        for model, expected in self.runs():
            for what, numbers in reading(model, self.folder).items():
                self.assertEqual(numbers, expected[what], what)

    def test_interrupted_runs_go_on_to_the_weights_they_would_have_reached(self):
        for model, expected in self.runs():
            if "resumed" in expected:
                self.assertEqual(resuming(model, self.folder), expected["resumed"])
            else:
                self.refused(1, "finished", "train", "--resume", model)


if __name__ == "__main__":
    main()
