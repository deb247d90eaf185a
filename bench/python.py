#!/usr/bin/env python3
"""What the Python package costs: import, a call of Predictor, train() beside the program, and fit beside others.

    bench/python.py [--program build/release/chalkgrad] [--rounds 5]
    bench/python.py --list                 which others are installed here
    bench/python.py --only keras-jax,torch --rounds 1

It measures the chalkgrad that Python finds, on one thread. Times are the process's own (user time), medians of the rounds,
in which those that are compared take turns; each runs in a process of its own. Others are what is installed of
scikit-learn's MLPClassifier, Keras 3 on JAX and on PyTorch, and a loop over batches in PyTorch, as people write it: the same
network, 64-100-10 with ReLU, Adam, batches of 64 and 50 epochs of the built-in digits, after one epoch of another fit, so
that nobody's compiler is timed. Its size hardly matters for the ratios of small networks: what is measured there is mostly
the cost of a step.
"""

import argparse
import importlib.util
import json
import os
import pathlib
import statistics
import struct
import subprocess
import sys
import tempfile
import warnings

NET, INPUT = "10n", 4  # of a prediction that costs nothing itself
FIRST = "20c5-relu-mp2-40c5-relu-mp2-100n-relu-10n"
EPOCHS = 50
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3",
              "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1", "CUDA_VISIBLE_DEVICES": ""}


def of_process(*arguments, **variables):
    """What this script prints when it is called with these arguments, in a process of its own."""
    said = subprocess.run([sys.executable, __file__, *arguments], capture_output=True, text=True,
                          env={**os.environ, **ONE_THREAD, **variables})
    if said.returncode:
        sys.exit(said.stderr[-4000:])
    return float(said.stdout.split()[-1])


def user_seconds(action):
    before = os.times().user
    action()
    return os.times().user - before


def in_turns(rounds, *measurements):
    """The median of each."""
    found = [[] for _ in measurements]
    for _ in range(rounds):
        for measure, times in zip(measurements, found):
            times.append(measure())
    return [statistics.median(times) for times in found]


# -- import and predictions

def import_ms():
    code = ("import time, numpy; before = time.process_time(); import chalkgrad; "
            "print(1000 * (time.process_time() - before))")
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


def prediction_us():
    import time

    import chalkgrad
    import numpy

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
    return 1e6 / json.loads(said)["inference"]["samples_per_second"]


# -- train() beside the program

def write_images(folder, samples=12800, test=64):
    """Random ones in MNIST's format."""
    import numpy

    rng = numpy.random.default_rng(1)
    for name, count in (("train", samples), ("t10k", test)):
        x, y = rng.integers(0, 256, (count, 28, 28), numpy.uint8), rng.integers(0, 10, count, numpy.uint8)
        (folder / f"{name}-images-idx3-ubyte").write_bytes(struct.pack(">4i", 2051, *x.shape) + x.tobytes())
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(struct.pack(">2i", 2049, count) + y.tobytes())


def train_in_python(folder, epochs):
    import chalkgrad

    data = chalkgrad.load_dataset(f"mnist:{folder}")
    net = chalkgrad.Network(FIRST, data.train.sample)
    chalkgrad.train(net, data.train, epochs=int(epochs), batch=64, threads=1)
    chalkgrad.evaluate(net, data.test, threads=1)
    return os.times().user


def train_in_program(program, folder, epochs):
    with tempfile.TemporaryDirectory() as empty:
        before = os.times().children_user
        subprocess.run([program, "train", "--data", f"mnist:{folder}", "--net", FIRST, "--epochs", str(epochs), "--batch", "64",
                        "--threads", "1"], cwd=empty, capture_output=True, check=True)
        return os.times().children_user - before


def cost_of_train(program, rounds):
    """Seconds of four epochs, of each: what a run of five takes beyond one of one."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_images(folder)
        most, least, mine_most, mine_least = in_turns(
            rounds, lambda: train_in_program(program, folder, 5), lambda: train_in_program(program, folder, 1),
            lambda: of_process("--train", f"{name},5"), lambda: of_process("--train", f"{name},1"))
    return most - least, mine_most - mine_least


# -- fit beside others

def digits():
    import chalkgrad
    import numpy

    data = chalkgrad.digits().train
    x = numpy.array(data.x).reshape(len(data), -1).astype(numpy.float32)
    return (x - x.mean()) / x.std(), numpy.array(data.y)


def fit_chalkgrad(x, y, epochs):
    import chalkgrad

    chalkgrad.Classifier(network="100n-relu-10n", batch=64, epochs=epochs, threads=1).fit(x, y)


def fit_sklearn(x, y, epochs):
    from sklearn.neural_network import MLPClassifier

    MLPClassifier((100,), batch_size=64, max_iter=epochs, tol=0, n_iter_no_change=10**6).fit(x, y)


def fit_keras(x, y, epochs):
    import keras

    model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(100, "relu"), keras.layers.Dense(10)])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(x, y, batch_size=64, epochs=epochs, verbose=0)


def fit_torch(x, y, epochs):
    import torch

    torch.set_num_threads(1)
    model = torch.nn.Sequential(torch.nn.Linear(64, 100), torch.nn.ReLU(), torch.nn.Linear(100, 10))
    optimizer, loss = torch.optim.Adam(model.parameters()), torch.nn.CrossEntropyLoss()
    pairs = torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y).long())
    for _ in range(epochs):
        for a, b in torch.utils.data.DataLoader(pairs, batch_size=64, shuffle=True):
            optimizer.zero_grad()
            loss(model(a), b).backward()
            optimizer.step()


# Of each: what it needs, what sets its backend, and the function.
OTHERS = {"chalkgrad": (("sklearn",), {}, fit_chalkgrad), "sklearn": (("sklearn",), {}, fit_sklearn),
          "keras-jax": (("keras", "jax"), {"KERAS_BACKEND": "jax"}, fit_keras),
          "keras-torch": (("keras", "torch"), {"KERAS_BACKEND": "torch"}, fit_keras), "torch": (("torch",), {}, fit_torch)}


def is_here(name):
    return all(importlib.util.find_spec(package) for package in OTHERS[name][0])


def fit_seconds(name):
    fit, (x, y) = OTHERS[name][2], digits()
    fit(x, y, 1)
    return user_seconds(lambda: fit(x, y, EPOCHS))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", help="of the others, these: a,b")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--fit", help=argparse.SUPPRESS)
    parser.add_argument("--train", help=argparse.SUPPRESS)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.fit:
        return print(fit_seconds(options.fit))
    if options.train:
        return print(train_in_python(*options.train.rsplit(",", 1)))
    wanted = options.only.split(",") if options.only else list(OTHERS)
    if unknown := set(wanted) - set(OTHERS):
        sys.exit(f"--only: there is no {', '.join(sorted(unknown))}; there are {', '.join(OTHERS)}")
    found = ["chalkgrad", *(name for name in wanted if name != "chalkgrad" and is_here(name))]
    if options.list:
        for name in OTHERS:
            print(f"{name:12} {'is here' if is_here(name) else 'needs ' + ', '.join(OTHERS[name][0])}")
        return None
    if not options.only:
        (importing,) = in_turns(options.rounds, import_ms)
        print(f"import chalkgrad, after numpy           {importing:.1f} ms")
        print(f"Predictor of one sample ({NET} of {INPUT})       {prediction_us():.2f} µs")
        if options.program:
            program = os.path.abspath(options.program)
            print(f"the same in C++                         {prediction_of_program_us(program):.2f} µs")
            theirs, mine = cost_of_train(program, options.rounds)
            print(f"train(), {FIRST} of 1×28×28, batches of 64, 4 epochs of 12,800: {mine:.2f} s, "
                  f"the program {theirs:.2f} s, {100 * (mine / theirs - 1):+.1f} %")
    if not is_here("chalkgrad"):
        return print("fit: needs scikit-learn, which is not here")
    times = in_turns(options.rounds, *[lambda name=name: of_process("--fit", name, **OTHERS[name][1]) for name in found])
    for name, taken in zip(found, times):
        print(f"fit, 64-100-10, {EPOCHS} epochs of 1,438 samples: {name:12} {taken:7.3f} s  {taken / times[0]:6.1f} times chalkgrad's")
    return None


if __name__ == "__main__":
    main()
