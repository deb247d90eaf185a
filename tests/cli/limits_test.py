#!/usr/bin/env python3
"""Where threads, processes or memory are limited, a command does its work with less, or says what it lacks."""
import os
import resource
import subprocess

from support import chalkgrad, CliTest, command, main, sha_of, SMALL

TRAIN = ("train", *SMALL, "--epochs", 2, "--quiet")
ADVICE = (": the results are the same, but take longer; raise the limit on processes (ulimit -u, docker --pids-limit) or "
          "on memory (ulimit -v), or ask for one thread, with --threads 1\n")
NOBODY = 54321  # a user without any process
MEGABYTE = 1 << 20


def as_nobody(processes):
    """For subprocess: the limit is one on a user's processes and threads, and root has none."""
    def limit():
        if os.getuid() == 0:
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        resource.setrlimit(resource.RLIMIT_NPROC, (processes, processes))
    return {"preexec_fn": limit, "cwd": "/"}


def with_memory(megabytes):
    return {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_AS, (megabytes * MEGABYTE,) * 2)}


class Limits(CliTest):
    def test_threads_that_the_system_does_not_start_are_done_without(self):
        if os.getuid() != 0:
            self.skipTest("SKIPPED: only root can become a user without other processes")
        try:
            subprocess.run(command("--version"), check=True, capture_output=True, timeout=60, **as_nobody(100))
        except (OSError, subprocess.SubprocessError) as error:
            self.skipTest(f"SKIPPED: no other user can run the program: {error}")
        expected = sha_of(self.good(*TRAIN, "--threads", 1))
        for processes in (1, 2, 3, 6):
            with self.subTest(processes=processes):
                result = chalkgrad(*TRAIN, "--threads", 8, **as_nobody(processes))
                self.assertEqual(result.returncode, 0)
                self.assertEqual(sha_of(result.stdout), expected)
                self.assertEqual(result.stderr, f"chalkgrad: only {processes} of 8 threads could be started "
                                                f"(Resource temporarily unavailable){ADVICE}", "one note")
                one = chalkgrad(*TRAIN, "--threads", 1, **as_nobody(processes))
                self.assertEqual((sha_of(one.stdout), one.stderr), (expected, ""), "as advised")
        more = chalkgrad(*TRAIN, "--threads", 8, **as_nobody(100))
        self.assertEqual((sha_of(more.stdout), more.stderr), (expected, ""), "with a higher limit, as advised")

    def test_threads_that_memory_is_too_small_for_are_done_without(self):
        expected = sha_of(self.good(*TRAIN, "--threads", 1))
        result = chalkgrad(*TRAIN, "--threads", 1000, **with_memory(400))
        self.assertEqual(result.returncode, 0)
        self.assertEqual(sha_of(result.stdout), expected)
        self.assertRegex(result.stderr, r"\Achalkgrad: only \d+ of 1000 threads could be started \(")
        self.assertTrue(result.stderr.endswith(ADVICE))
        self.assertEqual(result.stderr.count("\n"), 1, "one note")
        one = chalkgrad(*TRAIN, "--threads", 1, **with_memory(400))
        self.assertEqual((sha_of(one.stdout), one.stderr), (expected, ""), "as advised")

    def test_whatever_memory_there_is_a_command_works_or_says_that_it_is_too_little(self):
        model = self.model()
        net = ("--net", "8c3-relu-mp2-10n", "--input", "1x8x8")
        for args in (TRAIN, ("eval", model), ("info", model), ("bench", *net, "--once"), ("gradcheck", *net)):
            for threads in (() if args[0] == "gradcheck" else ("--threads", 4), ):
                worked = 0
                for megabytes in (*range(8, 40, 2), *range(40, 200, 20), 400):
                    with self.subTest(args=args, megabytes=megabytes):
                        result = chalkgrad(*args, *threads, **with_memory(megabytes))
                        if result.returncode == 0:
                            worked += 1
                            self.assertIn(result.stderr.count("\n"), (0, 1))
                        elif result.stdout or result.stderr:  # otherwise it could not even be loaded
                            self.assertEqual(result.returncode, 1)
                            self.assertRegex(result.stderr, r"\A(chalkgrad: only [^\n]+\n)?chalkgrad: [^\n]+\n\Z")
                            self.assertIn("memory", result.stderr)
                self.assertGreater(worked, 0, args)


if __name__ == "__main__":
    main()
