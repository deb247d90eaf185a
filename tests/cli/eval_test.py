#!/usr/bin/env python3
"""chalkgrad eval, and damaged model files that every command would refuse."""
import os

from support import CliTest, edit_safetensors, idx, main


class Models(CliTest):
    def test_any_flipped_bit_is_noticed(self):
        path = self.model()
        data = path.read_bytes()
        for at in [0, 3, 9, 60, 400, len(data) // 2, len(data) - 1]:
            with self.subTest(at=at):
                path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1:])
                self.refused(1, "model.safetensors", "eval", path)
        for size in (0, 7, 8, 100, len(data) - 1):
            path.write_bytes(data[:size])
            self.refused(1, "model.safetensors", "eval", path)
        self.refused(1, "model.safetensors", "info", self.path("model.safetensors", os.urandom(3000)))

    def test_tensors_must_be_those_of_the_network(self):
        path = self.model()
        original = path.read_bytes()

        def edited(change):
            path.write_bytes(original)
            edit_safetensors(path, change)

        def without(header, data):
            header["dense1.weight.other"] = header.pop("dense1.weight")
            return header, data

        def reshaped(header, data):
            header["conv1.weight"]["shape"] = [36]
            return header, data

        def extra(header, data):
            header["surplus"] = {"dtype": "F32", "shape": [1], "data_offsets": [len(data), len(data) + 4]}
            return header, data + bytes(4)

        def other_network(header, data):
            header["__metadata__"]["chalkgrad.network"] = "5c3-relu-mp2-10n"
            return header, data

        def no_network(header, data):
            del header["__metadata__"]["chalkgrad.network"]
            return header, data

        edited(lambda header, data: (header, data))
        self.good("eval", path)
        for change, word in ((without, "dense1"), (reshaped, "conv1.weight"), (extra, "surplus"),
                             (other_network, "conv1"), (no_network, "chalkgrad.network")):
            with self.subTest(change.__name__):
                edited(change)
                self.refused(1, ["model.safetensors", word], "eval", path)

    def test_data_that_do_not_fit_the_model(self):
        small = idx(8, [10, 4, 4], bytes(160))
        folder = self.mnist_like(train_images=small, t10k_images=small)
        self.refused(1, ["1×4×4", "1×8×8"], "eval", self.model(), "--data", f"mnist:{folder}")


if __name__ == "__main__":
    main()
