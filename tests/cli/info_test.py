#!/usr/bin/env python3
"""chalkgrad info, and mistakes in networks that every command would point at."""
import json
import os
import pathlib
import shutil
import subprocess

from support import chalkgrad, CliTest, command, main


class Networks(CliTest):
    def test_typing_errors_are_pointed_at(self):
        for net, words in {"20c5-rleu": ["character 6", '"rleu"', 'did you mean "relu"?'], "-": ["character 1"],
                           "20c5-": ["character 5"], "20c5--relu": ["character 6"], "20c": ["character 4", "kernel"],
                           "0c5-10n": ["at least 1"], "99999999999999999999n": ["too large"], "20c5zz": ["character 6"],
                           "20c4z": ["odd"], "20c5–relu": ["character 5", "–"], "softmax-10n": ["last"],
                           "10n\x1b[2J": ["\\x1b"]}.items():
            with self.subTest(net=net):
                self.refused(2, words, "info", "--net", net, "--input", "1x28x28")
        result = chalkgrad("info", "--input", "1x8x8", "--net", os.fsdecode(b"10n-\xff\xfe"))
        self.assertEqual(result.returncode, 2)
        self.assertIn("\\xff", result.stderr)

    def test_shapes_that_do_not_fit_name_the_layer(self):
        self.refused(1, ["conv2", "3×3", "maxpool1"], "info", "--net", "4c3-mp2-4c5-10n", "--input", "1x8x8")
        self.refused(1, ["classes", "10n"], "train", "--net", "4c3-relu-7n")

    def test_absurd_sizes_are_refused_at_once(self):
        self.refused(2, "parameters", "info", "--net", "1000000n-1000000n", "--input", "1x8x8")
        self.refused(2, "large", "info", "--net", "1048576c1z", "--input", "1x64x64")

    def test_toml_files_say_line_and_column(self):
        toml = self.path("net.toml", b'[[layer]]\ntype = "conv"\nfiltres = 3\n')
        self.refused(1, ["net.toml: line 3, column 1", '"filtres"', 'did you mean "filters"?'],
                     "info", "--net", toml, "--input", "1x8x8")
        for text in (b"", b"\xff\xfe", b"[[layer]]", b'[[layer]]\ntype = "cnov"', b"a = " + b"[" * 5000,
                     b'[[layer]]\ntype = "dense"\noutputs = 99999999999999999999999', b'[[layer]]\nchain = "relu-"'):
            with self.subTest(text=text[:40]):
                self.path("net.toml", text)
                self.assertIn(chalkgrad("info", "--net", toml, "--input", "1x8x8").returncode, (1, 2))
        self.refused(1, "missing.toml", "info", "--net", self.path("missing.toml"), "--input", "1x8x8")

    def test_info_counts(self):
        info = json.loads(self.good("info", "--net", "20c5-relu-mp2-40c5-relu-mp2-100n-relu-10n", "--input", "1x28x28", "--json"))
        self.assertEqual(info["parameters"], 20 * 26 + 40 * 501 + 100 * 641 + 10 * 101)
        first, rest = 20 * 24 * 24 * 25, 40 * 8 * 8 * 500 + 64000 + 1000
        self.assertEqual(info["multiply_adds"], {"inference": first + rest, "training": 2 * first + 3 * rest})
        self.assertEqual(info["layers"][1]["name"], "relu1")
        self.assertGreater(info["memory"]["training"]["total"], info["memory"]["inference"]["total"])
        self.assertIn("conv2d", self.good("info", "--net", "4c3-10n", "--input", "1x8x8", "--graph"))


NET = ("info", "--net", "10n", "--input", "1x8x8")


def control_group(quota, period):
    """A new control group with this quota: its folder and the file with the quota, or nothing where none can be made."""
    for parent, settings in (("/sys/fs/cgroup/cpu", {"cpu.cfs_period_us": period, "cpu.cfs_quota_us": quota}),
                             ("/sys/fs/cgroup", {"cpu.max": f"{quota} {period}"})):
        folder = pathlib.Path(parent, f"chalkgrad-test-{os.getpid()}")
        try:
            folder.mkdir()
        except OSError:
            continue
        try:
            for name, value in settings.items():
                (folder / name).write_text(str(value))
            return folder, folder / list(settings)[-1]
        except OSError:
            folder.rmdir()
    return None


class Threads(CliTest):
    """How many there are by default, and why."""

    def line(self, *args, **more):
        lines = [line for line in self.good(*NET, *args, **more).splitlines() if line.startswith("threads")]
        self.assertEqual(len(lines), 1)
        return " ".join(lines[0].split())

    def cores(self, **more):
        return json.loads(self.good(*NET, "--json", **more))["cores"]

    def test_info_says_how_many_and_why(self):
        cores, info = self.cores(), json.loads(self.good(*NET, "--json"))
        self.assertEqual(info["threads"], cores["threads"])
        self.assertEqual(cores["allowed"], len(os.sched_getaffinity(0)))
        self.assertLessEqual(cores["threads"], cores["allowed"])
        self.assertEqual(self.line(), f"threads {cores['threads']}: {cores['why']}")
        if cores["threads"] == cores["machine"]:
            self.assertEqual(cores["why"], "one for each core")
        self.assertEqual(self.line("--threads", 3),
                         f"threads 3: --threads says so; without it {cores['threads']}, {cores['why']}")
        self.assertEqual(json.loads(self.good(*NET, "--json", "--threads", 3))["threads"], 3)

    def test_affinity_decides(self):
        machine = self.cores()["machine"]
        if machine == 1:
            self.skipTest("SKIPPED: this machine has one core")
        one = {"preexec_fn": lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})}
        self.assertEqual(self.line(**one), f"threads 1: this process may run on 1 of {machine} cores (taskset or a cpuset binds it)")
        self.assertEqual(self.line(env={"OMPI_COMM_WORLD_SIZE": "2"}, **one),
                         f"threads 1: this process may run on 1 of {machine} cores (mpirun binds it; mpirun --bind-to none does not)")
        self.assertEqual(self.cores(**one)["allowed"], 1)
        self.assertRegex(self.good("train", "--epochs", 1, **one), r"running .* 1 thread,")

    def test_mpirun_binds_unless_told_otherwise(self):
        if not shutil.which("mpirun"):
            self.skipTest("SKIPPED: there is no mpirun")
        if len(os.sched_getaffinity(0)) == 1:
            self.skipTest("SKIPPED: this process may run on one core")

        def threads(*options):
            run = subprocess.run(["mpirun", "-np", "1", *options, *command(*NET, "--json")], capture_output=True, text=True, timeout=60,
                                 env={**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"})
            self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
            return json.loads(run.stdout)["cores"]
        bound = threads()
        if bound["allowed"] < bound["machine"]:  # MPICH does not bind
            self.assertIn("mpirun --bind-to none does not", bound["why"])
            self.assertEqual(threads("--bind-to", "none")["threads"], self.cores()["threads"])

    def test_a_quota_decides(self):
        group = control_group(50000, 100000)
        if not group:
            self.skipTest("SKIPPED: no control group can be made here")
        folder, file = group
        try:
            inside = {"preexec_fn": lambda: (folder / "cgroup.procs").write_text(str(os.getpid()))}
            cores = self.cores(**inside)
        finally:
            folder.rmdir()
        self.assertEqual(cores["quota"], 0.5)
        self.assertEqual(cores["threads"], 1)
        if cores["allowed"] > 1:
            self.assertEqual(cores["why"], f"its control group allows the time of 0.5 cores ({file}; docker --cpus sets it)")


if __name__ == "__main__":
    main()
