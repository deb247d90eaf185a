"""JAX beside chalkgrad: gradients equal to its own, compiled and not."""

import importlib.util
import unittest

import numpy as np

import chalkgrad as cg
from support import Case

if importlib.util.find_spec("jax") is None:
    raise unittest.SkipTest("JAX is not installed")

import jax
import jax.numpy as jnp


class Functions(Case):
    def setUp(self):
        net = cg.Network("6n-tanh-3n", (4,))
        self.f, self.parameters = cg.jax_function(net, threads=1)
        self.x = jnp.asarray(np.random.default_rng(0).normal(size=(5, 4)), jnp.float32)

    def twin(self, p, x):
        hidden = jnp.tanh(x @ p["dense1.weight"].T + p["dense1.bias"])
        return hidden @ p["dense2.weight"].T + p["dense2.bias"]

    def loss(self, f):
        return lambda p, x: (f(p, x) ** 2 * jnp.arange(3)).sum()

    def test_have_the_gradients_of_jax(self):
        expected = jax.grad(self.loss(self.twin), argnums=(0, 1))(self.parameters, self.x)
        for wrap in (lambda f: f, jax.jit):
            found = wrap(jax.grad(self.loss(self.f), argnums=(0, 1)))(self.parameters, self.x)
            for ours, theirs in zip(jax.tree.leaves(found), jax.tree.leaves(expected)):
                self.assertLess(float(jnp.abs(ours - theirs).max()), 1e-4)

    def test_memory_is_shared_both_ways(self):
        answers = cg.Predictor(cg.Network("3n", (4,)))(self.x)
        self.assertEqual(jnp.from_dlpack(answers, copy=False).unsafe_buffer_pointer(), answers.ctypes.data)
        large = jax.random.uniform(jax.random.key(0), (4096, 4200), jnp.float32)
        data = cg.Dataset(large, np.arange(4096) % 2)
        self.assertEqual(data.x.ctypes.data, large.unsafe_buffer_pointer())

    def test_say_what_is_missing(self):
        with self.assertRaisesRegex(TypeError, "^there are 2 inputs, and 1 are needed: x$"):
            self.f(self.parameters, self.x, self.x)


if __name__ == "__main__":
    unittest.main()
