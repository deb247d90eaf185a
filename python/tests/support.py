"""What the tests share. They test the chalkgrad that Python finds: ./dev wheel installs the wheel first.

CHALKGRAD_PROGRAM names the command line, whose weights ours must equal; what needs it is skipped without.
"""

import os
import pathlib
import re
import subprocess
import sys
import threading
import unittest

import numpy as np

import chalkgrad

PROGRAM = os.environ.get("CHALKGRAD_PROGRAM", "")
SOURCE = pathlib.Path(__file__).resolve().parents[2]
DIGITS_NET = "8c3z-relu-mp2-32n-relu-10n"
THREADS = 4


def digits(samples=None):
    """The built-in digits as arrays: pixels and labels."""
    data = chalkgrad.digits().train
    x, y = np.array(data.x), np.array(data.y)
    return (x, y) if samples is None else (x[:samples], y[:samples])


def trained(**options):
    x, y = digits()
    net = chalkgrad.Network(DIGITS_NET, x.shape[1:])
    chalkgrad.train(net, chalkgrad.Dataset(x, y), **{"epochs": 2, **options})
    return net


class Case(unittest.TestCase):
    def assertSays(self, error, message, call, *args, **kwargs):
        """The whole message, and the class of what is raised."""
        with self.assertRaises(error) as caught:
            call(*args, **kwargs)
        self.assertEqual(str(caught.exception), message)
        return caught.exception


def at_once(*works):
    """Runs each work in THREADS threads, all at the same time; returns what they raised."""
    begin, raised = threading.Barrier(len(works) * THREADS), []

    def call(work, number):
        begin.wait()
        try:
            work(number)
        except BaseException as error:  # a thread would only print it
            raised.append(error)

    workers = [threading.Thread(target=call, args=(work, number)) for work in works for number in range(THREADS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return raised


def run_python(code, timeout=120):
    """A process of its own, for what ends or forks processes."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=timeout)
