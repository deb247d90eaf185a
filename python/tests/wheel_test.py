"""The wheel that CHALKGRAD_WHEEL names: one file of at most 6 MB that asks the system for libc alone, and an old one."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest
import zipfile

import chalkgrad

WHEEL = os.environ.get("CHALKGRAD_WHEEL", "")
MOST_BYTES = 6_000_000
LIBRARIES = {"libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libgcc_s.so.1", "ld-linux-x86-64.so.2"}


@unittest.skipUnless(WHEEL, "CHALKGRAD_WHEEL names no wheel")
class Wheel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        with zipfile.ZipFile(WHEEL) as file:
            cls.names = file.namelist()
            file.extractall(cls.folder.name)
        cls.module = next(pathlib.Path(cls.folder.name).rglob("_engine*.so"))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def dump(self, *options):
        return subprocess.run(["objdump", *options, self.module], capture_output=True, text=True, check=True).stdout

    def test_is_small(self):
        self.assertLess(os.path.getsize(WHEEL), MOST_BYTES)

    def test_holds_the_package_alone(self):
        tops = {name.split("/")[0] for name in self.names}
        self.assertEqual({top for top in tops if not top.endswith(".dist-info")}, {"chalkgrad"})
        self.assertEqual([name for name in self.names if name.endswith((".cc", ".h", ".a", ".cmake"))], [])
        for name in ("chalkgrad/py.typed", "chalkgrad/_engine.pyi", "chalkgrad/_options.pyi"):
            self.assertIn(name, self.names)

    def test_needs_no_newer_glibc_than_its_tag_says(self):
        allowed = tuple(map(int, re.search(r"manylinux_(\d+)_(\d+)_", WHEEL).groups()))
        self.assertLessEqual(allowed, (2, 28))
        found = {tuple(map(int, version.split("."))) for version in re.findall(r"GLIBC_(\d+\.\d+)", self.dump("-T"))}
        self.assertTrue(found)
        self.assertLessEqual(max(found), allowed)

    def test_brings_its_own_libraries_and_keeps_them_to_itself(self):
        self.assertLessEqual(set(re.findall(r"NEEDED\s+(\S+)", self.dump("-p"))), LIBRARIES)
        symbols = self.dump("-T")
        self.assertNotIn("GLIBCXX", symbols)
        # What objects of another state lack would be asked of whoever loads the module; weak symbols may be missing.
        self.assertEqual(re.findall(r"^\S+ +(?!w )\S* *D?F? +\*UND\*.*5chalk.*$", symbols, re.MULTILINE), [])
        defined = [line.split()[-1] for line in symbols.splitlines() if re.search(r" g +D.* (\.text|\.data|\.bss)\s", line)]
        self.assertEqual(defined, ["PyInit__engine"])

    def test_runs_the_kernels_that_the_processor_has(self):
        flags = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
        if "fma" in flags and "avx2" in flags:
            self.assertIn(chalkgrad.instruction_set(), ("avx2", "avx512"))


if __name__ == "__main__":
    unittest.main()
