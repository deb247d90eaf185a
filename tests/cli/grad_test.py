#!/usr/bin/env python3
"""chalkgrad grad."""
import zipfile

from support import CliTest, main


class Grad(CliTest):
    def test_grad_writes_all_values_and_gradients(self):
        path = self.path("g.npz")
        for more in ([], ["--engine"]):
            self.good("grad", "--net", "4c3-relu-mp2-10n", "--data", "digits", "--index", 3, "--batch", 2, "--out", path, "--overwrite", *more)
            with zipfile.ZipFile(path) as file:
                names = set(file.namelist())
                header = file.read("value/conv1.npy")[:128].decode("latin1")
            for name in ("x", "t", "conv1", "relu1", "maxpool1", "dense1", "conv1.weight", "dense1.bias", "loss"):
                self.assertIn(f"value/{name}.npy", names)
                self.assertIn(f"gradient/{name}.npy", names)
            self.assertIn("(2, 4, 6, 6", header)
        path.unlink()
        self.assertIn("of samples 10 to 10\n", self.good("grad", "--net", "10n", "--index", "010", "--out", path),
                      "a number that begins with 0 is no octal one")
        path.unlink()
        self.refused(2, ["360", "359"], "grad", "--net", "10n", "--part", "test", "--index", 360, "--out", path)
        self.refused(1, "no", "grad", "--net", "10n", "--out", self.folder / "no" / "g.npz")


if __name__ == "__main__":
    main()
