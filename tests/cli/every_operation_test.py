#!/usr/bin/env python3
"""chalkgrad gradcheck on tests/networks/*.toml, which together use every operation of src/ops/ops.inc. Each network
passes, and fails once the rule of any of its operations is made wrong.

Every network has a class of tests with its name: every_operation_test.py PATH_OF_CHALKGRAD linear_maps
"""
import json
import re

from support import chalkgrad, CliTest, main, ROOT

NETWORKS = sorted((ROOT / "tests" / "networks").glob("*.toml"))
INPUT = "2x6x6"

LEAVES = {"input", "parameter", "constant", "batch_size"}  # in every graph, and no operations of ops.inc
WITHOUT_RULE = {"greater", "equal", "pool_argmax", "first_max"}  # constant almost everywhere
IN_THE_LOSS = {"vector": {"log_softmax", "mul", "sum", "neg", "batch_sum", "div"},  # what gradcheck adds: cross-entropy
               "other": {"sub", "mul", "sum", "batch_sum", "div"}}                  # or squared error
ONLY_TO_X = {("over_the_samples", "reshape")}  # its derivative reaches no parameter; other networks' do
NO_RULE = re.compile(r"chalkgrad: --corrupt (\w+): this network has no such operation with a derivative; it has (.+)\n")


def all_operations():
    text = (ROOT / "src" / "ops" / "ops.inc").read_text(encoding="utf-8")
    return re.findall(r"^CHALK_OP\((\w+)\)$", text, re.MULTILINE)


def gradcheck(network, *args):
    return chalkgrad("gradcheck", "--net", network, "--input", INPUT, *args)


def operations_of(network):
    """The operations in a network, and those in the loss that gradcheck adds."""
    result = chalkgrad("info", "--net", network, "--input", INPUT, "--graph")
    assert result.returncode == 0, result.stderr
    used = set(re.findall(r"^%\d.* = (\w+)\b", result.stdout, re.MULTILINE)) - LEAVES
    output, = re.findall(r"^output y = %(\d+)\b", result.stdout, re.MULTILINE)
    shape, = re.findall(rf"^%{output} [^:]*: batched (\S+) =", result.stdout, re.MULTILINE)
    return used, IN_THE_LOSS["other" if "×" in shape else "vector"]


class All(CliTest):
    """The networks together."""

    def test_no_operation_is_missing(self):
        operations = all_operations()
        self.assertGreater(len(operations), 30)
        self.assertEqual(len(set(operations)), len(operations))
        self.assertEqual(set().union(*(operations_of(n)[0] for n in NETWORKS)), set(operations))

    def test_each_is_there_where_the_loss_has_none_of_its_kind(self):
        """So that it is this one's rule which --corrupt is about. These four are in every loss."""
        apart = set()
        for network in NETWORKS:
            used, loss = operations_of(network)
            apart |= used - loss
        self.assertEqual(set(all_operations()) - apart, {"mul", "sum", "div", "batch_sum"})

    def test_each_reaches_a_parameter_somewhere(self):
        """Each network's own tests see to its other operations."""
        for stem, operation in ONLY_TO_X:
            self.assertTrue(any(operation in operations_of(n)[0] for n in NETWORKS if n.stem != stem), operation)

    def test_a_derivative_that_is_zero_but_for_rounding_passes(self):
        """dense2.bias shifts all samples alike and cancels: about 1e-17 by the rules, 0 or 1e-11 by differences, 1e-8
        in float."""
        for batch in (1, 2, 17):
            for seed in range(1, 9):
                with self.subTest(batch=batch, seed=seed):
                    network, = [n for n in NETWORKS if n.stem == "over_the_samples"]
                    result = gradcheck(network, "--batch", batch, "--seed", seed)
                    self.assertEqual(result.returncode, 0, "exit code")


class Network:
    """What is tested of each network."""
    network = None

    def test_it_passes(self):
        self.assertTrue(self.network.read_text(encoding="utf-8").startswith("# "), "a comment says what it is about")
        report = json.loads(self.good("gradcheck", "--net", self.network, "--input", INPUT, "--json"))
        self.assertTrue(report["passed"])
        names = {c["name"] for c in report["rules"]}
        self.assertLess({"x"}, names, "parameters before the operations")
        self.assertEqual(names | {"loss"}, {c["name"] for c in report["engine"]})
        for check in report["rules"]:
            if (self.network.stem, check["name"]) == ("over_the_samples", "dense2.bias"):
                self.assertLess(check["largest"], 1e-12, "in every sample's share, above and below the line")
            else:
                self.assertGreater(check["largest"], 1e-3, f"{check['name']} has an effect")

    def test_it_fails_with_a_wrong_rule_for_any_of_its_operations(self):
        used, _ = operations_of(self.network)
        for operation in sorted(used - WITHOUT_RULE):
            with self.subTest(operation):
                result = gradcheck(self.network, "--json", "--corrupt", operation)
                self.assertEqual(result.returncode, 1, "exit code")
                report = json.loads(result.stdout)  # an error would be exit code 1, too, but with nothing on stdout
                self.assertFalse(report["passed"])
                wrong = {c["name"] for c in report["rules"] if not c["passed"]}
                self.assertTrue(all(c["passed"] for c in report["engine"]), "it computes what the wrong rule says")
                only_to_x = (self.network.stem, operation) in ONLY_TO_X
                self.assertTrue(wrong if only_to_x else wrong - {"x"}, "the gradient of a parameter, not only of x, is wrong")

    def test_its_operations_without_a_rule_say_so(self):
        used, loss = operations_of(self.network)
        for operation in sorted(used & WITHOUT_RULE):
            with self.subTest(operation):
                result = gradcheck(self.network, "--corrupt", operation)
                self.assertEqual((result.returncode, result.stdout), (2, ""))
                self.assertRegex(result.stderr, NO_RULE)
                said = NO_RULE.fullmatch(result.stderr)
                self.assertEqual(said[1], operation)
                self.assertEqual(set(said[2].split(", ")), (used | loss) - WITHOUT_RULE)


for each in NETWORKS:
    globals()[each.stem] = type(each.stem, (Network, CliTest), {"network": each})


if __name__ == "__main__":
    main()
