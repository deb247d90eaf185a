#!/usr/bin/env python3
"""How fast chalkgrad is beside PyTorch and ONNX Runtime on this machine: each problem of a list in turns (chalkgrad,
rival, chalkgrad, rival, …) on the same number of threads, with the same batch, loss and optimizer (SGD with momentum), on
random data of the same shapes. Of a rival's modes (PyTorch: eager, channels_last, torch.compile; float32, and autocast to
bfloat16 beside it) the fastest here counts. Medians; ratios above 1 mean that chalkgrad is faster.

The rivals are installed into build/rivals, in the versions of bench/requirements.txt: a download of 3 GB that takes 5.5 GB
of disk, for PyTorch brings its GPU libraries along. CHALKGRAD_NO_INSTALL=1 goes on with those that are there.

NETWORK may be torchvision:NAME: the model of that name, with weights as it starts, written to an ONNX file, which chalkgrad
and ONNX Runtime read; or light:NAME, one of the models that the package onnx has.

CHALKGRAD_OPENNN=FOLDER, a clone of https://github.com/Artelnics/opennn (its commit 13d826be80), makes OpenNN a rival on dense
networks, on as many threads or on one, as is faster. g++ compiles it into build/rivals, once, in some minutes. Without it,
OpenNN is not measured.

The result of a whole list, bench/goals.txt or bench/loaded.txt, is written into docs/performance.md.
"""
import argparse
import contextlib
import datetime
import functools
import hashlib
import itertools
import json
import os
import pathlib
import re
import select
import subprocess
import sys
import tempfile
import time
import unittest

import problems as p

VENV = p.ROOT / "build" / "rivals"
REQUIREMENTS = p.ROOT / "bench" / "requirements.txt"
WORKER = p.ROOT / "bench" / "rival_worker.py"
PAGE = p.ROOT / "docs" / "performance.md"
END = "<!-- to here -->\n"
BLOCKS = {p.GOALS: "<!-- ./dev bench rivals writes from here -->\n",
          p.LOADED: "<!-- ./dev bench rivals --list bench/loaded.txt writes from here -->\n"}

MODULES = {"PyTorch": ["torch", "numpy"], "ONNX Runtime": ["onnxruntime", "onnx", "numpy"]}
PATIENCE = 600  # seconds until a rival must be ready: torch.compile compiles C++

# OpenNN's worker, and what of its sources that needs.
OPENNN = p.ROOT / "bench" / "opennn_worker.cc"
OPENNN_SOURCES = ("addition_layer convolutional_layer cross_entropy_error dataset dense_layer flatten_layer image_dataset layer "
                  "loss neural_network optimizer pooling_layer random_utilities scaling scaling_layer statistics "
                  "stochastic_gradient_descent string_utilities tensor_utilities time_series_dataset tinyxml2 "
                  "unscaling_layer variable").split()
OPENNN_FLAGS = "-std=c++17 -O3 -march=native -fopenmp -w -ffunction-sections -Wl,--gc-sections".split()

# What is wanted of chalkgrad alone: (name, key of the results, bound, how it is written).
LIMITS = [("memory of training beyond the data", "peak_memory", 64e6, lambda v: f"{v / 1e6:.1f} MB"),
          ("process start to the end of the first step", "first_step_seconds", 0.020, lambda v: f"{1e3 * v:.1f} ms"),
          ("size of the program, statically linked, without symbols", "binary_bytes", 5.5e6, lambda v: f"{v / 1e6:.2f} MB")]
SCALING = 1.9  # times one thread, on two


# ---- installing ------------------------------------------------------------------------------------------------------

def python():
    inside = VENV / "bin" / "python3"
    return str(inside if inside.exists() else sys.executable)


def modules(rival, problems=()):
    needs_models = rival == "PyTorch" and any(problem.torchvision() for problem in problems)
    return MODULES[rival] + (["torchvision", "onnx"] if needs_models else [])


def present(rival, problems=()):
    imports = "import " + ", ".join(modules(rival, problems))
    return subprocess.run([python(), "-c", imports], capture_output=True, check=False).returncode == 0


def pins(text):
    """{"torch": "torch==2.15.0", …} of a requirements file."""
    lines = [line.split("#")[0].strip() for line in text.splitlines()]
    return {re.split(r"[<>=]", line)[0]: line for line in lines if line}


def install(problems):
    """Which rivals there are, after installing those that are missing and can be had."""
    missing = [rival for rival in MODULES if not present(rival, problems)]
    if missing and os.environ.get("CHALKGRAD_NO_INSTALL"):
        print(f"CHALKGRAD_NO_INSTALL is set, so {' and '.join(missing)} will not be installed")
    elif missing:
        print(f"Installing {' and '.join(missing)} into build/rivals: "
              + ("3 GB to download, 5.5 GB of disk, some minutes" if "PyTorch" in missing else "about 100 MB"), flush=True)
        VENV.parent.mkdir(exist_ok=True)
        wanted = pins(REQUIREMENTS.read_text(encoding="utf-8"))
        with open(VENV.parent / "rivals.log", "w", encoding="utf-8") as log:
            quiet = {"stdout": log, "stderr": subprocess.STDOUT, "stdin": subprocess.DEVNULL, "check": False}
            made = (VENV / "bin" / "python3").exists()
            if not made:
                made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], **quiet).returncode == 0
            for rival in missing if made else []:
                subprocess.run([python(), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries",
                                "1", *(wanted[module] for module in modules(rival, problems))], **quiet)
    found = [rival for rival in MODULES if present(rival, problems)]
    for rival in MODULES:
        if rival not in found:
            print(f"{rival} is not there" + (" (build/rivals.log says why)" if rival in missing
                  and not os.environ.get("CHALKGRAD_NO_INSTALL") else "") + "; going on without it")
    return found


@functools.cache
def opennn(folder):
    """The program that runs OpenNN, compiled if it is not there yet, and OpenNN's version."""
    home = pathlib.Path(folder).resolve() / "opennn"
    files = [OPENNN, *sorted(home.glob("*.h")), *sorted(home.glob("*.cpp"))]
    if len(files) == 1:
        raise p.Mistake(f"CHALKGRAD_OPENNN: {folder} holds no source of OpenNN")
    flags = [*OPENNN_FLAGS, f"-I{home}"]
    digest = hashlib.sha256(b"\0".join([" ".join(flags).encode(), *(file.read_bytes() for file in files)])).hexdigest()[:10]
    program = VENV / f"opennn-{digest}"
    if not program.exists():
        print("Compiling OpenNN: some minutes", flush=True)
        VENV.mkdir(parents=True, exist_ok=True)
        run = subprocess.run(["g++", *flags, str(OPENNN), *(f"{home / name}.cpp" for name in OPENNN_SOURCES), "-o",
                              str(program)], capture_output=True, text=True, check=False)
        if run.returncode:
            raise p.Mistake(f"OpenNN cannot be compiled: {reason(run.stderr)}")
    return str(program), p.commit(home) or digest


def write_models(problems):
    """The files of models that are not there yet."""
    for problem in problems:
        if problem.model() and not problem.model().exists():
            p.MODELS.mkdir(parents=True, exist_ok=True)
            run = subprocess.run([python(), str(WORKER), "--write", problem.network, problem.input, str(problem.model())],
                                 capture_output=True, text=True, check=False)
            if run.returncode:
                raise p.Mistake(f"{problem.network} could not be written: {reason(run.stderr)}")


# ---- rivals that run in turns ----------------------------------------------------------------------------------------

def reason(printed):
    """The line of a program's errors that says most: what a compiler could not do, or the last one."""
    lines = [line.strip() for line in printed.split("\n") if line.strip()] or ["it took too long"]
    return next((line for line in lines if re.search(r"\berror: ", line)), lines[-1])[:200]


class Worker:
    """A process that holds one rival in one mode, and runs when it is told to."""

    def __init__(self, rival, mode, problem, threads):
        self.rival, self.mode, self.threads = rival, mode, threads
        task = {"rival": rival, "mode": mode, "network": problem.network, "shape": problem.shape(),
                "batch": problem.batch, "threads": threads, "direction": problem.direction, "file": str(problem.model() or "")}
        self.errors = tempfile.TemporaryFile("w+")
        command, variables = [python(), str(WORKER), json.dumps(task)], {"OMP_NUM_THREADS": str(threads)}
        if rival == "OpenNN":
            program, version = opennn(os.environ["CHALKGRAD_OPENNN"])
            command = [program, version, problem.direction, str(problem.batch), str(threads), problem.input,
                       *problem.network.split("-")]
            variables["OMP_WAIT_POLICY"] = "passive"  # its thread pool and OpenMP's get in each other's way else
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, stdout=subprocess.PIPE, stderr=self.errors,
                                        env={**os.environ, **variables})
        answer = self.answer(PATIENCE)
        self.version = answer["ready"] if answer else None

    def answer(self, patience):
        """What the process says, or None if it died or took too long."""
        ready, _, _ = select.select([self.process.stdout], [], [], patience)
        line = self.process.stdout.readline() if ready else ""
        try:
            return json.loads(line)
        except json.JSONDecodeError:
            self.process.kill()
            return None

    def ask(self, what):
        """For how many seconds to run, whose answer is a speed; or "memory"."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(f"{what}\n")
            self.process.stdin.flush()
        return self.answer(PATIENCE)

    def why(self):
        self.process.wait()
        self.errors.seek(0)
        return reason(self.errors.read())

    def close(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.errors.close()


def modes(rival, problem, quick=False):
    """(mode, precision) in which a rival can do a problem; quick: without what takes minutes to compile, and bfloat16."""
    if problem.rival and problem.rival != rival.lower().replace(" ", ""):
        return []
    if rival == "OpenNN":  # whose convolutions are too slow to be anything but a curiosity
        words = r"\d+n|relu|sigmoid|tanh" + (r"|\d+c\d+z?|mp2" if problem.rival else "")
        return [("float32", "float32")] if re.fullmatch(f"(({words})(-|$))+", problem.network) else []
    if rival == "ONNX Runtime":
        return [("float32", "float32")] if problem.direction == "predict" else []
    of_maps = problem.torchvision() or re.search(r"\dc\d", problem.network)
    layouts = ["eager", "channels_last", "compile"] if of_maps else ["eager", "compile"]
    if quick:
        return [(layout, "float32") for layout in layouts if layout != "compile"]
    return [(layout, "float32") for layout in layouts] + [(f"{layout} bfloat16", "bfloat16") for layout in layouts]


def fastest(rivals, problem, threads, seconds, notes, quick=False):
    """Starts every mode, gives each three short turns, and keeps the fastest in each precision: {precision: worker}. OpenNN
    may choose to use one thread, and ONNX Runtime all or one where it alone counts: that is faster for small models."""
    best = {}
    for rival in rivals:
        counts = (sorted({1, p.cores()}) if problem.rival == "onnxruntime" else
                  sorted({1, threads}) if rival == "OpenNN" else [threads])
        for (mode, precision), count in itertools.product(modes(rival, problem, quick), counts):
            worker = Worker(rival, mode, problem, count)
            speeds = [worker.ask(seconds) for _ in range(3)] if worker.version else [None]
            if None in speeds:
                notes.append(f"{problem.name}: {rival} {mode} does not work here: {worker.why()}")
                worker.close()
                continue
            if precision not in best or max(speeds) > best[precision][0]:
                worker, slower = worker, best.get(precision, (0, None))[1]
                best[precision] = (max(speeds), worker)
                worker = slower
            if worker:
                worker.close()
    return {precision: worker for precision, (_, worker) in best.items()}


def compare(problem, rivals, options, notes):
    """One problem: speeds of chalkgrad, on one thread too, and of the best rivals; medians, and medians of ratios."""
    threads = problem.threads or p.cores()
    workers = fastest(rivals, problem, threads, min(options.seconds, 0.5), notes, options.quick)
    runs = {"chalkgrad": [], "one thread": [], **{precision: [] for precision in workers}}
    for _ in range(options.rounds):
        ours = p.measure(problem, threads, options.seconds)
        runs["chalkgrad"].append(ours["samples_per_second"])
        if threads > 1 and problem.direction == "train":
            runs["one thread"].append(p.measure(problem, 1, options.seconds)["samples_per_second"])
        for precision, worker in workers.items():
            speed = worker.ask(options.seconds)
            if speed is None:
                raise p.Mistake(f"{worker.rival} {worker.mode} stopped on {problem.name}: {worker.why()}")
            runs[precision].append(speed)
    result = {"problem": problem.name, "network": problem.network, "input": problem.input, "batch": problem.batch,
              "direction": problem.direction, "threads": threads, "goal": problem.goal,
              "chalkgrad": p.median(runs["chalkgrad"]), "peak_memory": ours["peak_memory"]}
    if runs["one thread"]:
        result["to_one_thread"] = ratio(runs["chalkgrad"], runs["one thread"])
    for precision, worker in workers.items():
        result[precision] = {"rival": worker.rival, "mode": worker.mode, "threads": worker.threads, "version": worker.version,
                             "samples_per_second": p.median(runs[precision]), "peak_memory": worker.ask("memory"),
                             "ratio": ratio(runs["chalkgrad"], runs[precision])}
        worker.close()
    return result


def ratio(ours, theirs):
    """The median of the rounds' ratios: what the machine did in one round met both."""
    return p.median([a / b for a, b in zip(ours, theirs)])


def mnist(folder, threads, wanted=0.99):
    """The fewest epochs that bring the first network to 99 % on MNIST's test samples, and how long they take."""
    for epochs in range(1, 6):
        start = time.monotonic()
        out = p.call(p.APP, "train", "--data", f"mnist:{folder}", "--net", p.FIRST, "--batch", 64, "--epochs", epochs,
                     "--threads", threads, "--json")
        took = time.monotonic() - start
        accuracy = json.loads(out)["test_accuracy"]
        if accuracy >= wanted:
            return {"epochs": epochs, "seconds": took, "accuracy": accuracy}
    raise p.Mistake(f"five epochs brought only {100 * accuracy:.2f} % on {folder}")


# ---- the report ------------------------------------------------------------------------------------------------------

def verdict(value, goal):
    return f"{p.times(goal).replace('.00', '')}{'' if value is None else ', met' if value >= goal else ', missed'}"


def called(result, precision):
    rival = result.get(precision)
    if not rival:
        return "—"
    mode = "" if rival["mode"] == "float32" else ", " + rival["mode"].replace(" bfloat16", "")
    if rival.get("threads", result["threads"]) != result["threads"]:
        mode += f", threads: {rival['threads']}"
    return f"{p.speed(rival['samples_per_second'], result['batch'], result['chalkgrad'])} ({rival['rival']}{mode})"


def memory(result):
    """The most that chalkgrad's process had, and its rival's."""
    rival = result.get("float32", {}).get("peak_memory")
    both = [f"{bytes / 1e6:,.0f}" for bytes in (result["peak_memory"], rival) if bytes]
    return " : ".join(both) + " MB"


def table(results):
    rows = []
    for r in results:
        shares = [p.times(r[precision]["ratio"]) if precision in r else "—" for precision in ("float32", "bfloat16")]
        rows.append([r["problem"], str(r["threads"]), p.speed(r["chalkgrad"], r["batch"]), called(r, "float32"), shares[0],
                     called(r, "bfloat16"), shares[1], memory(r),
                     verdict(r.get("float32", {}).get("ratio"), r["goal"]) if r["goal"] else "—"])
    return ["problem", "threads", "chalkgrad", "best rival, float32", "ratio", "best, bfloat16", "ratio", "memory", "goal"], rows


def others(report):
    """The goals that no rival takes part in."""
    rows = [[f"{r['problem']} on {r['threads']} threads, to one", p.times(r["to_one_thread"]),
             verdict(r["to_one_thread"], SCALING) if r["threads"] == 2 else "—"]
            for r in report["problems"] if "to_one_thread" in r]
    for name, key, bound, text in LIMITS:
        met = "met" if report[key] <= bound else "missed"
        if key == "binary_bytes" and not report["binary_is_static"]:
            name, met = "size of the program beside its shared libraries", "not comparable"
        rows.append([name, text(report[key]), f"≤ {text(bound).replace('.00', '').replace('.0', '')}, {met}"])
    if report["mnist"]:
        m = report["mnist"]
        rows.append(["MNIST to 99 % from process start", f"{m['seconds']:.1f} s", f"{m['epochs']} epochs: "
                     f"{100 * m['accuracy']:.2f} %"])
    else:
        rows.append(["MNIST to 99 % from process start", "—", "skipped: --mnist FOLDER was not given"])
    return ["", "chalkgrad", "goal"], rows


def printed(report, form):
    parts = [f"{report['date']}, {report['machine']}; {report['instruction_set']}, chalkgrad {report['commit']}"
             + "".join(f", {rival} {version}" for rival, version in sorted(report["versions"].items()))
             + f". Medians of {report['rounds']} rounds of {report['seconds']:g} s.",
             form(*table(report["problems"]))] + ([form(*others(report))] if "peak_memory" in report else [])
    if form is p.markdown:
        rows = [[f"`{r['problem']}`", f"`{r['network']}`", r["input"], str(r["batch"]), r["direction"]]
                for r in report["problems"]]
        parts.insert(1, form(["problem", "network", "input", "batch", "what"], rows))
    return "\n\n".join(parts + report["notes"]) + "\n"


def write_block(page, begin, text):
    """The page with the text between the two marks."""
    before, mark, rest = page.partition(begin)
    _, end, after = rest.partition(END)
    if not mark or not end:
        raise p.Mistake(f"{PAGE.name} lacks the lines {begin.strip()} and {END.strip()}")
    return before + mark + "\n" + text + "\n" + end + after


def parser():
    what = argparse.ArgumentParser(prog="./dev bench rivals", description=__doc__,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)
    what.add_argument("--list", type=pathlib.Path, default=p.GOALS, help="the problems (bench/goals.txt)", metavar="FILE")
    what.add_argument("--only", action="append", help="this problem of the list; may be repeated", metavar="NAME")
    what.add_argument("--seconds", type=float, default=2, help="for each turn (2)", metavar="S")
    what.add_argument("--rounds", type=int, default=5, help="turns of each (5)", metavar="N")
    what.add_argument("--mnist", help="measure MNIST to 99 %%, with the four files in FOLDER", metavar="FOLDER")
    what.add_argument("--quick", action="store_true", help="without torch.compile and bfloat16; writes nothing")
    what.add_argument("--no-write", action="store_true", help="leave docs/performance.md as it is")
    what.add_argument("--json", metavar="FILE", help="write the results to FILE")
    what.add_argument("--self-test", action="store_true", help="test this script, without rivals")
    return what


def main():
    options = parser().parse_args()
    if options.self_test:
        return 0 if unittest.main(argv=["rivals"], exit=False).result.wasSuccessful() else 1
    if options.rounds < 1 or options.seconds <= 0:
        raise p.Mistake("--rounds and --seconds must be above 0")
    chosen = p.read_list(options.list, options.only)
    rivals = install(chosen)
    whole = len(rivals) == len(MODULES)
    if os.environ.get("CHALKGRAD_OPENNN") and any(modes("OpenNN", problem) for problem in chosen):
        opennn(os.environ["CHALKGRAD_OPENNN"])
        rivals.append("OpenNN")
    write_models(chosen)
    results, notes = [], []
    for problem in chosen:
        print(f"{problem.name} …", flush=True)
        results.append(compare(problem, rivals, options, notes))
    first = p.measure(chosen[0], 1, 0.1)
    report = {"date": datetime.date.today().isoformat(), "machine": p.machine(), "commit": p.commit(),
              "instruction_set": first["instruction_set"], "rounds": options.rounds, "seconds": options.seconds,
              "versions": {r[k]["rival"]: r[k]["version"] for r in results for k in ("float32", "bfloat16") if k in r},
              "problems": results, "notes": notes}
    where = options.list.resolve()
    if where != p.LOADED:
        report |= {**p.facts(), "mnist": mnist(options.mnist, p.cores()) if options.mnist else None}
    print("\n" + printed(report, p.aligned))
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    if options.no_write or options.quick:
        print(f"docs/{PAGE.name} stays as it is")
    elif options.only or where not in BLOCKS or not whole:
        print(f"docs/{PAGE.name} stays as it is: it takes all of bench/goals.txt or bench/loaded.txt, with PyTorch and ONNX Runtime")
    else:
        page = write_block(PAGE.read_text(encoding="utf-8"), BLOCKS[where], printed(report, p.markdown))
        PAGE.write_text(page, encoding="utf-8")
        print(f"written into docs/{PAGE.name}")
    return 0


# ---- self-test -------------------------------------------------------------------------------------------------------

class SelfTest(unittest.TestCase):
    RESULT = {"problem": "a", "network": "10n", "input": "784", "batch": 10, "direction": "train", "threads": 2,
              "goal": 4.0, "chalkgrad": 200000.0, "to_one_thread": 1.95, "peak_memory": 12e6,
              "float32": {"rival": "PyTorch", "mode": "eager", "version": "2", "samples_per_second": 50000.0, "ratio": 4.0,
                          "peak_memory": 1.2345e9}}
    REPORT = {"date": "2026-01-01", "machine": "a CPU", "commit": "abc", "instruction_set": "avx2", "rounds": 5,
              "seconds": 2.0, "versions": {"PyTorch": "2"}, "problems": [RESULT], "peak_memory": 65e6,
              "first_step_seconds": 0.0123, "binary_bytes": 4.5e6, "binary_is_static": True,
              "notes": ["b: broken"], "mnist": None}

    def test_a_rival_that_fails_is_reported_by_the_line_that_says_why(self):
        self.assertEqual(reason("g++ x.cpp\nx.cpp:3:1: fatal error: Python.h: No such file\n\nSet A=1 for more\n"),
                         "x.cpp:3:1: fatal error: Python.h: No such file")
        self.assertEqual(reason("Traceback:\n  File x\nImportError: no torch\n\n"), "ImportError: no torch")
        self.assertEqual(reason("\n"), "it took too long")

    def test_lists_are_read_and_mistakes_have_a_place(self):
        read = p.parse("# note\n\na 10n 1x8x8 64 train goal=2.5 # more\nb 10n 784 1 predict threads=1\n")
        self.assertEqual([(q.name, q.shape(), q.batch, q.threads, q.goal) for q in read],
                         [("a", [1, 8, 8], 64, 0, 2.5), ("b", [784], 1, 1, 0)])
        self.assertEqual([q.kind() for q in read], ["training", "inference"])
        self.assertEqual(read[1].thread_counts(), [1])
        for bad in ("", "a 10n 784 1", "a 10n 784 x train", "a 10n 784 0 train", "a 10n 784 1 both", "a 10n 7y8 1 train",
                    "a 10n 784 1 train gaol=2", "a 10n 784 1 train goal", "a 10n 784 1 train\na 10n 784 1 train"):
            with self.subTest(bad), self.assertRaisesRegex(p.Mistake, "line [12]|no problem"):
                p.parse(bad)
        for bad, said in (("a 10n 784 0 train", "the batch is a number from 1 on, not 0"),
                          ("a 10n 784 1 both", 'train or predict, not "both"'),
                          ("a 10n 784 1 train rival=tf", 'one of pytorch, onnxruntime, opennn, not "tf"'),
                          ("a 10n 784 1 train gaol=2", 'threads, goal and rival, not "gaol"')):
            with self.subTest(bad), self.assertRaisesRegex(p.Mistake, said):
                p.parse(bad)

    def test_the_lists_of_this_folder_can_be_read(self):
        for name in ("goals.txt", "short.txt", "loaded.txt"):
            problems = p.read_list(p.ROOT / "bench" / name)
            self.assertGreater(len(problems), 3)
        with self.assertRaisesRegex(p.Mistake, "no problem \"x\"; it has first-train"):
            p.read_list(p.GOALS, ["x"])
        with self.assertRaisesRegex(p.Mistake, "No such file"):
            p.read_list("missing.txt")

    def test_rivals_know_every_network_of_the_goals(self):
        from rival_worker import product, with_shapes
        for problem in [q for q in p.read_list(p.GOALS) + p.read_list(p.LOADED) if not q.model()]:
            walked, outputs = with_shapes(problem.network, problem.shape())
            self.assertEqual(f"{outputs[0]}n", problem.network.split("-")[-1])
            if "(" not in problem.network:
                self.assertEqual(len(walked), problem.network.count("-") + 1)
        walked, _ = with_shapes("20c5-relu-mp2-10n", [1, 28, 28])
        self.assertEqual([shape for _, shape in walked], [[1, 28, 28], [20, 24, 24], [20, 24, 24], [20, 12, 12]])
        self.assertEqual(product([20, 12, 12]), 2880)
        self.assertEqual(with_shapes("64c7zs2-mp3s2z", [3, 224, 224])[1], [64, 56, 56])
        walked, _ = with_shapes("8c7zg8-lnc-16c1-gelu", [8, 9, 9])
        self.assertEqual([(layer.kind, layer.groups) for layer, _ in walked],
                         [("conv", 8), ("lnc", 1), ("conv", 1), ("gelu", 1)])
        walked, outputs = with_shapes("2*(res(4c3z-bn)-relu)-res(8c3zs2,8c1s2-bn)-gap", [4, 9, 9])
        self.assertEqual([layer.kind for layer, _ in walked], ["residual", "relu", "residual", "relu", "residual", "gap"])
        self.assertEqual((walked[-1][1], outputs), ([8, 5, 5], [8]))
        self.assertEqual([len(walked[i][0].shortcut) for i in (0, 4)], [0, 2])
        with self.assertRaisesRegex(SystemExit, '"5x"'):
            with_shapes("5x", [1])

    def test_modes(self):
        conv, dense, predict = p.parse("a 4c3-10n 1x8x8 1 train\nb 10n 784 1 train\nc 10n 784 1 predict")
        self.assertEqual(len(modes("PyTorch", conv)), 6)
        self.assertEqual(len(modes("PyTorch", dense)), 4, "channels_last is for images")
        self.assertEqual([mode for mode, _ in modes("PyTorch", conv, quick=True)], ["eager", "channels_last"])
        self.assertEqual(modes("ONNX Runtime", conv), [])
        self.assertEqual(modes("ONNX Runtime", predict), [("float32", "float32")])
        model, = p.parse("a torchvision:resnet18 3x224x224 1 predict rival=onnxruntime")
        self.assertEqual((len(modes("PyTorch", model)), len(modes("ONNX Runtime", model))), (0, 1))
        self.assertEqual(p.bench_arguments(model, 2), ["bench", p.MODELS / "resnet18.onnx", "--batch", 1, "--threads", 2])
        named, = p.parse("a 4c3-relu-mp2-10n 1x8x8 1 train rival=opennn")
        self.assertEqual([len(modes("OpenNN", problem)) for problem in (conv, dense, model, named)], [0, 1, 0, 1])
        self.assertEqual(modes("PyTorch", named), [])
        light, = p.parse("a light:vgg19 3x224x224 1 predict rival=onnxruntime")
        self.assertEqual((light.model(), light.torchvision()), (p.MODELS / "light_vgg19.onnx", ""))
        self.assertEqual((modules("PyTorch", [model])[-2:], modules("PyTorch", [conv])), (["torchvision", "onnx"], MODULES["PyTorch"]))

    def test_statistics(self):
        self.assertEqual(p.median([3, 1, 2]), 2)
        self.assertEqual(p.median([4, 1, 2, 3]), 2.5)
        self.assertEqual(ratio([2, 8, 6], [1, 2, 2]), 3)
        self.assertEqual(p.speed(100000, 10), "100.0 µs/step")
        self.assertEqual(p.speed(12345.6, 64), "12,346 /s")
        self.assertEqual(p.speed(5000, 10, 100000), "2000.0 µs/step", "two in a row are said alike")

    def test_tables_line_up(self):
        lines = p.aligned(["name", "µs"], [["a", "10"], ["long name", "1,000×"]]).splitlines()
        self.assertEqual(lines, ["name           µs", "─" * 17, "a              10", "long name  1,000×"])
        self.assertEqual(p.markdown(["a", "b"], [["1", "2"]]), "| a | b |\n| --- | --: |\n| 1 | 2 |")

    def test_the_report_says_whether_goals_are_met(self):
        text = printed(self.REPORT, p.aligned)
        for words in ("4.00×", "4×, met", "1.90×, met", "65.0 MB", "≤ 64 MB, missed", "12.3 ms", "≤ 20 ms, met", "≤ 5.50 MB, met",
                      "200.0 µs/step (PyTorch, eager)", "12 : 1,234 MB", "skipped: --mnist", "b: broken", "PyTorch 2", "2026-01-01"):
            self.assertIn(words, text)
        self.assertEqual(verdict(3.9, 4.0), "4×, missed")
        self.assertEqual(verdict(None, 2.2), "2.20×")
        self.assertIn("| `a` | `10n` | 784 | 10 | train |", printed(self.REPORT, p.markdown))

    def test_the_page_keeps_what_is_outside_the_block(self):
        for begin in BLOCKS.values():
            page = "# Speed\n" + begin + "old\n" + END + "after\n"
            written = write_block(page, begin, "new")
            self.assertEqual(written, "# Speed\n" + begin + "\nnew\n" + END + "after\n")
            self.assertEqual(write_block(written, begin, "new"), written)
            self.assertIn(begin, PAGE.read_text(encoding="utf-8"))
        with self.assertRaisesRegex(p.Mistake, "lacks the lines"):
            write_block("# Speed\n", BLOCKS[p.GOALS], "new")

    def test_opennn_is_compiled_only_from_its_source(self):
        with tempfile.TemporaryDirectory() as folder, self.assertRaisesRegex(p.Mistake, "holds no source of OpenNN"):
            opennn(folder)

    def test_requirements_are_pinned(self):
        found = pins(REQUIREMENTS.read_text(encoding="utf-8"))
        for module in {"torchvision", *(module for names in MODULES.values() for module in names)}:
            self.assertRegex(found[module], r"\A[a-z]+==[\d.]+\Z")

    def test_arguments(self):
        options = parser().parse_args(["--only", "a", "--only", "b", "--rounds", "3"])
        self.assertEqual((options.only, options.rounds, options.seconds, options.list), (["a", "b"], 3, 2, p.GOALS))


if __name__ == "__main__":
    p.begin(main)
