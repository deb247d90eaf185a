#!/usr/bin/env python3
"""What the Python package costs: import, a call of Predictor, fit beside scikit-learn's MLPClassifier.

    bench/python.py [--program build/release/chalkgrad]

It measures the chalkgrad that Python finds, on one thread; times of import and of fit are the process's own (user time), medians of 5. With
the program, the time of a prediction is put beside C++'s.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import warnings

import numpy

NET, INPUT = "10n", 4


def import_ms():
    code = ("import time, numpy; before = time.process_time(); import chalkgrad; "
            "print(1000 * (time.process_time() - before))")
    return statistics.median(float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout)
                             for _ in range(5))


def prediction_us():
    import chalkgrad

    predict = chalkgrad.Predictor(chalkgrad.Network(NET, (INPUT,)), threads=1)
    x, best = numpy.zeros((1, INPUT), numpy.float32), float("inf")
    for _ in range(50):
        begun = time.perf_counter()
        for _ in range(2000):
            predict(x)
        best = min(best, time.perf_counter() - begun)
    return best / 2000 * 1e6


def prediction_of_program_us(program):
    said = subprocess.run([program, "bench", "--net", NET, "--input", str(INPUT), "--batch", "1", "--threads", "1",
                           "--seconds", "0.3", "--json"], capture_output=True, text=True, check=True).stdout
    found = json.loads(said)
    return 1e6 / found["inference"]["samples_per_second"]


def fit_seconds():
    import chalkgrad
    from sklearn.neural_network import MLPClassifier

    data = chalkgrad.digits().train
    x, y = numpy.array(data.x).reshape(len(data), -1).astype(numpy.float32), numpy.array(data.y)
    models = (lambda: MLPClassifier((100,), batch_size=64, max_iter=50, tol=0, n_iter_no_change=1000),
              lambda: chalkgrad.Classifier(network="100n-relu-10n", batch=64, epochs=50, threads=1))
    times = ([], [])
    for _ in range(5):
        for model, taken in zip(models, times):
            before = os.times().user
            model().fit(x, y)
            taken.append(os.times().user - before)
    return tuple(map(statistics.median, times))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print(f"import chalkgrad, after numpy           {import_ms():.1f} ms")
    print(f"Predictor of one sample ({NET} of {INPUT})       {prediction_us():.2f} µs")
    if options.program:
        print(f"the same in C++                         {prediction_of_program_us(options.program):.2f} µs")
    theirs, ours = fit_seconds()
    print(f"fit, 64-100-10, 50 epochs, 1,438 samples: MLPClassifier {theirs:.2f} s, Classifier {ours:.3f} s, "
          f"ratio {theirs / ours:.1f}")


if __name__ == "__main__":
    main()
