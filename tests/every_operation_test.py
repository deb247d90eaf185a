#!/usr/bin/env python3
"""chalkgrad gradcheck on tests/networks/*.toml, which together use every operation of src/ops/ops.inc:
every_operation_test.py PATH_OF_CHALKGRAD [unittest args]. Each network passes, and fails once the rule of any of its
operations is made wrong.

Without an argument the path is taken from the environment, CHALKGRAD.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

BINARY = os.environ.get("CHALKGRAD", "")
HERE = pathlib.Path(__file__).resolve().parent
NETWORKS = sorted((HERE / "networks").glob("*.toml"))
INPUT = "2x6x6"
LIMIT = 240  # seconds for any one command, on a machine that does other things too

LEAVES = {"input", "parameter", "constant", "batch_size"}  # in every graph, and no operations of ops.inc
WITHOUT_RULE = {"greater", "equal", "pool_argmax", "first_max"}  # constant almost everywhere
IN_THE_LOSS = {"vector": {"log_softmax", "mul", "sum", "neg", "batch_sum", "div"},  # what gradcheck adds: cross-entropy
               "other": {"sub", "mul", "sum", "batch_sum", "div"}}                  # or squared error
NO_RULE = re.compile(r"chalkgrad: --corrupt (\w+): this network has no such operation with a derivative; it has (.+)\n")


def chalkgrad(*args):
    return subprocess.run([BINARY, *map(str, args)], capture_output=True, text=True, timeout=LIMIT)


def all_operations():
    text = (HERE.parent / "src" / "ops" / "ops.inc").read_text()
    return re.findall(r"^CHALK_OP\((\w+)\)$", text, re.MULTILINE)


def gradcheck(network, *args):
    return chalkgrad("gradcheck", "--net", network, "--input", INPUT, *args)


class EveryOperation(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.used, cls.loss = {}, {}  # of each network: the operations in it, those in the loss that gradcheck adds
        for network in NETWORKS:
            result = chalkgrad("info", "--net", network, "--input", INPUT, "--graph")
            assert result.returncode == 0, result.stderr
            cls.used[network] = set(re.findall(r"^%\d.* = (\w+)\b", result.stdout, re.MULTILINE)) - LEAVES
            output, = re.findall(r"^output y = %(\d+)\b", result.stdout, re.MULTILINE)
            shape, = re.findall(rf"^%{output} [^:]*: batched (\S+) =", result.stdout, re.MULTILINE)
            cls.loss[network] = IN_THE_LOSS["other" if "×" in shape else "vector"]

    def each(self, operations):
        """Each network with each of these operations that is in it."""
        return [(network, operation) for network in NETWORKS
                for operation in sorted(self.used[network] & set(operations))]

    def test_no_operation_is_missing(self):
        operations = all_operations()
        self.assertGreater(len(operations), 30)
        self.assertEqual(len(set(operations)), len(operations))
        self.assertEqual(set().union(*self.used.values()), set(operations))

    def test_each_is_there_where_the_loss_has_none_of_its_kind(self):
        """So that it is this one's rule which --corrupt is about. These four are in every loss."""
        apart = set().union(*(self.used[n] - self.loss[n] for n in NETWORKS))
        self.assertEqual(set(all_operations()) - apart, {"mul", "sum", "div", "batch_sum"})

    def test_the_networks_pass(self):
        for network in NETWORKS:
            with self.subTest(network.name):
                self.assertTrue(network.read_text().startswith("# "))
                result = gradcheck(network, "--json")
                self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
                report = json.loads(result.stdout)
                self.assertTrue(report["passed"])
                names = {c["name"] for c in report["rules"]}
                self.assertLess({"x"}, names, "parameters before the operations")
                self.assertEqual(names | {"loss"}, {c["name"] for c in report["engine"]})
                for check in report["rules"]:
                    if (network.stem, check["name"]) == ("over_the_samples", "dense2.bias"):
                        self.assertLess(check["largest"], 1e-12, "in every sample's share, above and below the line")
                    else:
                        self.assertGreater(check["largest"], 1e-3, f"{check['name']} has an effect")

    def test_a_wrong_rule_fails_in_each_network_that_has_the_operation(self):
        seen = set()  # in the gradient of a parameter, not only of x
        for network, operation in self.each(set(all_operations()) - WITHOUT_RULE):
            with self.subTest(network=network.name, operation=operation):
                result = gradcheck(network, "--json", "--corrupt", operation)
                self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
                report = json.loads(result.stdout)  # an error would be exit code 1, too, but with nothing on stdout
                self.assertFalse(report["passed"])
                wrong = {c["name"] for c in report["rules"] if not c["passed"]}
                self.assertTrue(wrong)
                self.assertTrue(all(c["passed"] for c in report["engine"]), "it computes what the wrong rule says")
                if wrong - {"x"}:
                    seen.add(operation)
        self.assertEqual(seen, set(all_operations()) - WITHOUT_RULE)

    def test_operations_without_a_rule_are_these_and_say_so(self):
        seen = set()
        for network, operation in self.each(WITHOUT_RULE):
            seen.add(operation)
            with self.subTest(network=network.name, operation=operation):
                result = gradcheck(network, "--corrupt", operation)
                self.assertEqual((result.returncode, result.stdout), (2, ""))
                said = NO_RULE.fullmatch(result.stderr)
                self.assertTrue(said, result.stderr)
                self.assertEqual(said[1], operation)
                self.assertEqual(set(said[2].split(", ")), (self.used[network] | self.loss[network]) - WITHOUT_RULE)
        self.assertEqual(seen, WITHOUT_RULE)

    def test_a_derivative_that_is_zero_but_for_rounding_passes(self):
        """dense2.bias shifts all samples alike and cancels: about 1e-17 by the rules, 0 or 1e-11 by differences, 1e-8
        in float."""
        for batch in (1, 2, 17):
            for seed in range(1, 9):
                with self.subTest(batch=batch, seed=seed):
                    result = gradcheck(HERE / "networks" / "over_the_samples.toml", "--batch", batch, "--seed", seed)
                    self.assertEqual(result.returncode, 0, result.stdout + result.stderr)


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-") and os.path.exists(sys.argv[1]):
        BINARY = sys.argv.pop(1)
    BINARY = os.path.abspath(BINARY) if BINARY else sys.exit(__doc__)
    unittest.main(verbosity=1)
