"""PyTorch beside chalkgrad: gradients equal to its own on random networks, and memory that is shared."""

import importlib.util
import unittest

import numpy as np

import chalkgrad as cg
from support import Case

if importlib.util.find_spec("torch") is None:
    raise unittest.SkipTest("PyTorch is not installed")

import torch

ACTIVATIONS = {"relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "gelu": torch.nn.functional.gelu,
               "softplus": torch.nn.functional.softplus}


def random_network(rng):
    """A graph, and the same function of an image and the parameters in PyTorch."""
    g = cg.Graph()
    channels, size = int(rng.integers(1, 4)), int(rng.integers(6, 10))
    x = value = g.input("x", (channels, size, size))
    steps, shapes = [], []
    for layer in range(int(rng.integers(1, 4))):
        filters, kernel = int(rng.integers(1, 6)), int(rng.choice([1, 3]))
        padding, name = kernel // 2, str(rng.choice(list(ACTIVATIONS)))
        w = g.parameter(f"w{layer}", (filters, value.shape[0], kernel, kernel), init="he")
        value = getattr(cg, name)(cg.conv2d(value, w, padding=padding))
        steps.append(lambda y, w, p=padding, a=ACTIVATIONS[name]: a(torch.nn.functional.conv2d(y, w, padding=p)))
        shapes.append(w)
    if rng.random() < 0.5:
        value = cg.average_pool(value, 2)
        pool = lambda y: torch.nn.functional.avg_pool2d(y, 2)
    else:
        pool = lambda y: y
    inputs = int(np.prod(value.shape))
    w = g.parameter("out", (int(rng.integers(1, 5)), inputs), init="glorot")
    g.output("y", cg.dense(cg.reshape(value, (inputs,)), w))

    def function(y, parameters):
        for step, weight in zip(steps, parameters):
            y = step(y, weight)
        return torch.flatten(pool(y), 1) @ parameters[-1].T

    return g, (channels, size, size), function


class Functions(Case):
    def test_have_the_gradients_of_pytorch_on_50_random_networks(self):
        for seed in range(50):
            with self.subTest(seed=seed):
                rng = np.random.default_rng(seed)
                graph, shape, function = random_network(rng)
                module = cg.torch_function(graph, cg.Variables(graph, seed=seed), threads=1)
                x = torch.tensor(rng.normal(size=(3, *shape)), dtype=torch.float32, requires_grad=True)
                y = module(x)
                cotangent = torch.tensor(rng.normal(size=y.shape), dtype=torch.float32)
                parameters = list(module.parameters())
                found = torch.autograd.grad(y, [x, *parameters], cotangent)
                twins = [p.detach().clone().requires_grad_() for p in parameters]
                expected_y = function(x, twins)
                expected = torch.autograd.grad(expected_y, [x, *twins], cotangent)
                for ours, theirs in zip([y, *found], [expected_y, *expected]):
                    scale = max(1.0, float(theirs.detach().abs().max()))
                    self.assertLess(float((ours - theirs).detach().abs().max()), 2e-5 * scale)

    def test_are_trained_by_an_optimizer_of_pytorch(self):
        net = cg.Network("4c3-relu-2n", (1, 6, 6))
        module = cg.torch_function(net, threads=1)
        optimizer = torch.optim.Adam(module.parameters(), lr=0.01)
        x = torch.randn(16, 1, 6, 6, generator=torch.Generator().manual_seed(1))
        t = (x.mean(dim=(1, 2, 3)) > 0).long()
        losses = []
        for _ in range(30):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(module(x), t)
            loss.backward()
            optimizer.step()
            losses.append(float(loss.detach()))
        self.assertLess(losses[-1], 0.6 * losses[0])

    def test_say_what_they_cannot_do(self):
        g = cg.Graph()
        x = g.input("x", (2,))
        g.output("loss", cg.batch_mean(cg.sum(x)))
        self.assertSays(cg.ShapeError, "output 'loss' is shared; give one that each sample has, and take the mean outside",
                        cg.torch_function, g, output="loss")
        self.assertSays(cg.InputError, "the graph has no output 'y'; it has loss", cg.torch_function, g)


@unittest.skipUnless(importlib.util.find_spec("onnxscript"), "onnxscript is not installed")
class Modules(Case):
    def test_become_networks_with_their_weights(self):
        torch.manual_seed(0)
        module = torch.nn.Sequential(
            torch.nn.Conv2d(1, 4, 3, padding=1), torch.nn.BatchNorm2d(4), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
            torch.nn.Flatten(), torch.nn.Linear(64, 10))
        x = torch.randn(5, 1, 8, 8)
        module(x)  # so that running statistics are no longer those of the beginning
        net = cg.from_torch(module, x[:1])
        self.assertTrue(module.training)
        expected = module.eval()(x).detach().numpy()
        self.assertTrue(np.allclose(cg.Predictor(net, probabilities=False)(x), expected, atol=1e-5))
        cg.train(net, cg.Dataset(x, range(5), class_names=[str(c) for c in range(10)]), epochs=1)

    @unittest.skipUnless(importlib.util.find_spec("onnxruntime"), "ONNX Runtime is not installed")
    def test_and_back_to_others(self):
        import os
        import tempfile

        import onnxruntime

        net, x = cg.Network("4c3-relu-10n", (1, 6, 6)), np.random.default_rng(0).normal(size=(3, 1, 6, 6)).astype(np.float32)
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "net.onnx")
            net.export_onnx(file)
            (found,) = onnxruntime.InferenceSession(file).run(None, {"x": x})
        self.assertTrue(np.allclose(found, cg.Predictor(net, probabilities=False)(x), atol=1e-5))


class Loaders(Case):
    def test_are_data(self):
        x, y = torch.rand(90, 1, 6, 6), torch.arange(90) % 3
        pairs = torch.utils.data.TensorDataset(x, y)
        expected = cg.Dataset(x, y).digest()
        self.assertEqual(cg.Dataset(torch.utils.data.DataLoader(pairs, batch_size=32)).digest(), expected)
        self.assertEqual(cg.Dataset(pairs).digest(), expected)
        net = cg.Network("4c3-relu-3n", (1, 6, 6))
        loader = torch.utils.data.DataLoader(pairs, batch_size=32, shuffle=True)
        result = cg.train(net, loader, validation=loader, epochs=2)
        self.assertEqual((result.last.epoch_samples, len(result.history)), (90, 2))


class Memory(Case):
    def test_is_shared_with_what_speaks_dlpack(self):
        tensor = torch.arange(12, dtype=torch.float32).reshape(3, 4)
        from chalkgrad import _arrays

        self.assertEqual(_arrays.samples(tensor).ctypes.data, tensor.data_ptr())
        answers = cg.Predictor(cg.Network("2n", (4,)))(tensor)
        self.assertEqual(torch.from_dlpack(answers).data_ptr(), answers.ctypes.data)
        out = torch.empty(3, 2)
        self.assertIs(cg.Predictor(cg.Network("2n", (4,)))(tensor, out=out), out)
        self.assertTrue(np.array_equal(out.numpy(), answers))

    def test_of_large_tensors_is_read_where_it_is_and_given_back(self):
        tensor = torch.rand(4096, 4200)
        data = cg.Dataset(tensor, torch.arange(4096) % 2)
        self.assertEqual(data.x.ctypes.data, tensor.data_ptr())
        pixels = (torch.rand(4096, 1, 128, 130) * 255).to(torch.uint8)
        self.assertEqual(cg.Dataset(pixels, torch.arange(4096) % 2).x.ctypes.data, pixels.data_ptr())
        net = cg.Network("2n", (3,))
        weights = net["dense1.weight"]
        self.assertEqual(torch.from_dlpack(weights).data_ptr(), weights.ctypes.data)

    def test_of_lazy_signs_is_read_right(self):
        lazy = torch.view_as_complex(torch.ones(3, 4, 2)).conj().imag
        self.assertTrue(lazy.is_neg())
        data = cg.Dataset(lazy, [0, 1, 0])
        self.assertEqual(float(data.x[0, 0]), -1)

    def test_that_autograd_watches_is_not_written_to(self):
        predict = cg.Predictor(cg.Network("2n", (4,)))
        self.assertSays(ValueError, "out requires a gradient, and autograd would not see that it is written to; give "
                                    "out.detach()", predict, np.zeros((3, 4), np.float32),
                        out=torch.empty(3, 2, requires_grad=True))

    def test_of_half_precision_is_converted(self):
        for dtype in (torch.bfloat16, torch.float16, torch.float64):
            self.assertEqual(cg.Dataset(torch.ones(2, 3, dtype=dtype), [0, 1]).x.tolist(), [[1, 1, 1]] * 2)


if __name__ == "__main__":
    unittest.main()
