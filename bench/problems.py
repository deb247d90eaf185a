"""What the scripts of this folder share: lists of problems, running chalkgrad on one, statistics, tables, the machine."""
import dataclasses
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
APP = ROOT / "build" / "release" / "chalkgrad"
GOALS = ROOT / "bench" / "goals.txt"
LOADED = ROOT / "bench" / "loaded.txt"
MODELS = ROOT / "build" / "rivals" / "models"  # of others, as ONNX files, which bench/rivals.py writes
RIVALS = ("pytorch", "onnxruntime", "opennn")
FIRST = "20c5-relu-mp2-40c5-relu-mp2-100n-relu-10n"  # the network that memory and start are measured on


class Mistake(Exception):
    """Something the person at the keyboard can mend; its text is all they need."""


@dataclasses.dataclass(frozen=True)
class Problem:
    name: str
    network: str
    input: str
    batch: int
    direction: str  # "train" or "predict"
    threads: int = 0  # 0: on one thread and on all cores
    goal: float = 0.0  # times the best rival in float32; 0: none
    rival: str = ""  # the only one that counts, of RIVALS

    def torchvision(self):
        """Which of torchvision's models it is; "" of none."""
        return self.network.partition("torchvision:")[2]

    def light(self):
        """Which of the package onnx's light models it is; "" of none."""
        return self.network.partition("light:")[2]

    def model(self):
        """Its file, if it is read from one."""
        name = f"light_{self.light()}" if self.light() else self.torchvision()
        return MODELS / f"{name}.onnx" if name else None

    def kind(self):
        """What chalkgrad bench calls it."""
        return "training" if self.direction == "train" else "inference"

    def shape(self):
        return [int(extent) for extent in self.input.split("x")]

    def thread_counts(self):
        return [self.threads] if self.threads else sorted({1, cores()})


def parse(text, where="the list"):
    """The problems of a list, one a line; # begins a comment."""
    problems = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        try:
            name, network, shape, batch, direction, *options = words
            options = dict(option.split("=") for option in options)
            problem = Problem(name, network, shape, int(batch), direction, int(options.pop("threads", 0)),
                              float(options.pop("goal", 0)), options.pop("rival", ""))
            problem.shape()
        except ValueError as error:
            raise Mistake(f"{where}: line {number}: a problem is NAME NETWORK INPUT BATCH train|predict "
                          f"[threads=N] [goal=X] [rival={'|'.join(RIVALS)}]") from error
        if direction not in ("train", "predict"):
            raise Mistake(f'{where}: line {number}: the direction is train or predict, not "{direction}"')
        if problem.rival not in ("", *RIVALS):
            raise Mistake(f'{where}: line {number}: the rival is one of {", ".join(RIVALS)}, not "{problem.rival}"')
        if options:
            raise Mistake(f'{where}: line {number}: the options are threads, goal and rival, not "{next(iter(options))}"')
        if problem.batch < 1:
            raise Mistake(f"{where}: line {number}: the batch is a number from 1 on, not {problem.batch}")
        if any(problem.name == other.name for other in problems):
            raise Mistake(f'{where}: line {number}: there are two problems "{name}"')
        problems.append(problem)
    if not problems:
        raise Mistake(f"{where} holds no problem")
    return problems


def read_list(path, only=None):
    """The problems of a file, those named by `only` if it is given."""
    try:
        problems = parse(pathlib.Path(path).read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise Mistake(f"{path}: {error.strerror}") from error
    for name in only or []:
        if name not in [problem.name for problem in problems]:
            raise Mistake(f'{path} has no problem "{name}"; it has ' + ", ".join(p.name for p in problems))
    return [problem for problem in problems if not only or problem.name in only]


# ---- statistics and tables -------------------------------------------------------------------------------------------

def median(values):
    ordered = sorted(values)
    n = len(ordered)
    return (ordered[(n - 1) // 2] + ordered[n // 2]) / 2


def speed(samples_per_second, batch, beside=None):
    """The speed as people say it: samples/s, or the time of a step where that is below a millisecond; in the unit of
    the speed that it stands beside, if one is given."""
    if batch / (beside or samples_per_second) < 1e-3:
        return f"{batch / samples_per_second * 1e6:.1f} µs/step"
    return f"{samples_per_second:,.0f} /s"


def times(ratio):
    return f"{ratio:.2f}×"


def aligned(titles, rows):
    """A table for a terminal: the first column at the left, the others at the right."""
    cells = [titles, *rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(titles))]
    lines = ["  ".join(cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths)))
             for row in cells]
    lines.insert(1, "─" * max(map(len, lines)))
    return "\n".join(line.rstrip() for line in lines)


def markdown(titles, rows):
    lines = [titles, ["---"] + ["--:"] * (len(titles) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


# ---- chalkgrad -------------------------------------------------------------------------------------------------------

def call(app, *arguments):
    run = subprocess.run([str(app), *map(str, arguments)], capture_output=True, text=True, check=False)
    if run.returncode:
        raise Mistake(f"{app} {' '.join(map(str, arguments))}\nended with {run.returncode}: {run.stderr.strip()}")
    return run.stdout


def bench_arguments(problem, threads):
    network = [problem.model()] if problem.model() else ["--net", problem.network, "--input", problem.input]
    return ["bench", *network, "--batch", problem.batch, "--threads", threads]


def measure(problem, threads, seconds, app=APP):
    """samples_per_second, seconds_per_step, gflops, of_peak, with the run's peak_gflops, instruction_set and, of newer
    programs, peak_memory in bytes."""
    only = ["--only", problem.direction] if "--only" in call(app, "bench", "--help") else []  # older ones measure both
    run = json.loads(call(app, *bench_arguments(problem, threads), "--seconds", seconds, "--json", *only))
    return {**run[problem.kind()], "peak_gflops": run["peak_gflops"], "instruction_set": run["instruction_set"],
            "peak_memory": run.get("peak_memory")}


def facts(app=APP, starts=11):
    """Memory, start and size: bytes and seconds."""
    first = Problem("first", FIRST, "1x28x28", 64, "train")
    once = [*bench_arguments(first, cores()), "--only", "train", "--once", "--json"]
    memory = json.loads(call(app, *once))["peak_memory"]
    took = []
    for _ in range(starts):
        start = time.monotonic()
        call(app, *once)
        took.append(time.monotonic() - start)
    return {"peak_memory": memory - 64 * 28 * 28, "first_step_seconds": median(took), "binary_bytes": stripped_size(app),
            "binary_is_static": is_static(app)}


def is_static(app=APP):
    """Whether it is all in one file, and its size therefore all there is."""
    segments = subprocess.run(["readelf", "-lW", str(app)], capture_output=True, text=True, check=True).stdout
    return " INTERP " not in segments


def stripped_size(app=APP):
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder, "stripped")
        shutil.copy(app, copy)
        subprocess.run(["strip", str(copy)], check=True)
        return copy.stat().st_size


# ---- the machine -----------------------------------------------------------------------------------------------------

def cores():
    return len(os.sched_getaffinity(0))


def machine():
    """One line: the CPU's model, cores, system."""
    model = platform.machine()
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    return f"{model}, {cores()} core{'s' if cores() > 1 else ''}, {system}"


def commit(folder=ROOT):
    """That of a folder's repository, and whether the folder is changed since; "" if there is none."""
    def git(*words):
        return subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=False).stdout.strip()
    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".")
    return git("rev-parse", "--short=10", "HEAD") + (" and changes" if changed else "")


def begin(main):
    """Runs main(); a Mistake is one message and exit status 1."""
    try:
        sys.exit(main())
    except Mistake as mistake:
        print(f"bench: {mistake}", file=sys.stderr)
        sys.exit(1)
    except (KeyboardInterrupt, BrokenPipeError):
        sys.exit(130)
