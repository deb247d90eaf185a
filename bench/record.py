#!/usr/bin/env python3
"""Trains a recipe of bench/records once for each seed and says how good the networks became and how long it took, from
the start of the process, with everything that it does: reading and decoding the pictures, training, testing, and the
views of the test pictures where the recipe has some. The weights of a seed are the same bits on every machine: compare
`weights sha256` with docs/records.md.

CIFAR-10 is asked for as SOURCE: cifar10:FOLDER (the original files), folder:FOLDER of pictures, or a .tar.xz of such a
folder, which is unpacked into build/records. MNIST: mnist:FOLDER.

A run that was interrupted goes on from where it was, to the same bits; its time is then not that of a record. What has
been run is kept in build/records/NAME: models, results.json and, with --log, logs and curves.svg.
"""
import argparse
import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import tarfile
import tempfile
import time
import unittest

import problems as p

RECIPES = p.ROOT / "bench" / "records"
SIX_VIEWS = "shift:1,border=reflect,flip"  # airbench's: mirrored, moved by a pixel each way
# recipe → (file, --tta of eval or none, what it is to reach, in how many seconds)
KNOWN = {"cifar10": {"airbench": ("cifar10.toml", SIX_VIEWS, "94 % on the original files", None),
                     "resnet20": ("cifar10-resnet20.toml", None, "as in PyTorch", None)},
         "mnist": {"fast": ("mnist-fast.toml", None, "99.4 %", 10), "best": ("mnist-best.toml", None, "99.65 %", 120)}}


def seeds_of(text):
    """1..5 or 1,4,9."""
    match = re.fullmatch(r"(\d+)\.\.(\d+)", text)
    if match and int(match[1]) <= int(match[2]):
        return list(range(int(match[1]), int(match[2]) + 1))
    if re.fullmatch(r"\d+(,\d+)*", text):
        return [int(seed) for seed in text.split(",")]
    raise p.Mistake(f'--seeds is "{text}"; it must be seeds such as 1..5 or 1,4,9')


def unpacked(source, to):
    """The source; an archive of pictures is unpacked and becomes a folder of them."""
    if ":" in source or not source.endswith((".tar.xz", ".tar.gz", ".tar")):
        return source
    if not to.exists():
        part = to.with_suffix(".part")
        try:
            with tarfile.open(source) as archive:
                archive.extractall(part, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
        except (OSError, tarfile.TarError) as error:
            raise p.Mistake(f"{source} cannot be unpacked: {error}") from error
        part.rename(to)
    return f"folder:{to}"


def timed(command):
    """What it prints, and the seconds it took: by the clock, and of the processors."""
    start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    out = p.call(*command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return json.loads(out), time.monotonic() - start, used


def run_seed(app, recipe, source, seed, threads, folder, views, with_log):
    """Trains, or goes on, and tests. What is done already is not done again."""
    model, kept = folder / f"seed{seed}.safetensors", folder / f"seed{seed}.json"
    result = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else None
    if result and result["source"] != source:
        raise p.Mistake(f"{folder} holds a run on {result['source']}, not on {source}; give another folder: --out FOLDER")
    if not result:
        log = folder / f"seed{seed}.jsonl" if with_log else None
        result = train_seed(app, recipe, source, seed, threads, model, log)
        kept.write_text(json.dumps(result), encoding="utf-8")
    if views and "views_accuracy" not in result:
        seen, seconds, used = timed([app, "eval", model, "--tta", views, "--threads", threads, "--json"])
        result["views_accuracy"] = seen["accuracy"]
        result["seconds"] += seconds
        result["processor_seconds"] += used
        kept.write_text(json.dumps(result), encoding="utf-8")
    return result


def train_seed(app, recipe, source, seed, threads, model, log):
    train = [app, "train", "--threads", threads, "--json"]
    resumed = model.exists()
    if resumed:
        train += ["--resume", model, "--data", source, "--out", model]
    else:
        train += [recipe, "--data", source, "--seed", seed, "--out", model]
    if log:
        train += ["--log", log]
    done, seconds, used = timed(train)
    return {"seed": seed, "source": source, "accuracy": done["test_accuracy"], "loss": done["test_loss"], "seconds": seconds,
            "processor_seconds": used, "sha256": done["weights_sha256"], "resumed": resumed}


def spread(values):
    """Mean and standard deviation (of a sample)."""
    mean = sum(values) / len(values)
    squares = sum((value - mean) ** 2 for value in values)
    return mean, (squares / (len(values) - 1)) ** 0.5 if len(values) > 1 else None


def percent(value):
    return f"{100 * value:.2f} %"


def row(result):
    views = result.get("views_accuracy")
    return [str(result["seed"]), percent(result["accuracy"]), percent(views) if views is not None else "–",
            "interrupted" if result["resumed"] else f"{result['seconds']:.1f}", f"{result['processor_seconds']:.1f}",
            result["sha256"]]


TITLES = ["seed", "accuracy", "with views", "seconds", "processor seconds", "weights sha256"]


def summary(results):
    """Rows with means and deviations."""
    rows = []
    columns = [[r["accuracy"] for r in results], [r["views_accuracy"] for r in results if "views_accuracy" in r],
               [r["seconds"] for r in results if not r["resumed"]], [r["processor_seconds"] for r in results]]
    forms = [percent, percent, *2 * [lambda v: f"{v:.1f}"]]
    for name, place in (("mean", 0), ("deviation", 1)):
        cells = [form(found) if values and (found := spread(values)[place]) is not None else "–"
                 for values, form in zip(columns, forms)]
        rows.append([name, *cells, ""])
    return rows


def report(name, results, threads):
    """What goes into docs/records.md."""
    rows = [[*row(r)[:-1], f"`{r['sha256']}`"] for r in results] + summary(results)
    workers = "1 thread" if threads == 1 else f"{threads} threads"
    lines = [f"{name}, {workers}; chalkgrad {p.commit()}; {p.machine()}", "", p.markdown(TITLES, rows)]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(prog="./dev record", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", nargs="?", choices=sorted(KNOWN), help="cifar10 or mnist")
    parser.add_argument("source", nargs="?", help="where the data are, as --data of chalkgrad train", metavar="SOURCE")
    parser.add_argument("--recipe", help="; ".join(f"{s}: {', '.join(r)}" for s, r in KNOWN.items()), metavar="NAME")
    parser.add_argument("--seeds", default="1..5", help="1..5 or 1,4,9 (1..5)", metavar="SEEDS")
    parser.add_argument("--threads", type=int, default=p.cores(), help=f"({p.cores()})", metavar="N")
    parser.add_argument("--log", action="store_true", help="test after each epoch, for curves; that takes time")
    parser.add_argument("--out", type=pathlib.Path, help="where it is kept (build/records/SET-NAME)", metavar="FOLDER")
    parser.add_argument("--app", type=pathlib.Path, default=p.APP, help="another chalkgrad", metavar="FILE")
    parser.add_argument("--self-test", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.self_test:
        return 0 if unittest.main(argv=["record"], exit=False).result.wasSuccessful() else 1
    if not options.source:
        raise p.Mistake("say which data and where they are: ./dev record mnist mnist:FOLDER")
    recipes = KNOWN[options.set]
    name = options.recipe or next(iter(recipes))
    if name not in recipes:
        raise p.Mistake(f'there is no recipe "{name}" for {options.set}; there are {" and ".join(recipes)}')
    seeds = seeds_of(options.seeds)
    file, views, goal, limit = recipes[name]
    folder = options.out or p.ROOT / "build" / "records" / f"{options.set}-{name}"
    folder.mkdir(parents=True, exist_ok=True)
    source = unpacked(options.source, folder.parent / f"{options.set}-pictures")
    print(f"{options.set} {name}: to reach {goal}{f' in {limit} s' if limit else ''}; {p.machine()}", flush=True)
    print("  ".join(TITLES), flush=True)
    results = []
    for seed in seeds:
        results.append(run_seed(options.app, RECIPES / file, source, seed, options.threads, folder, views, options.log))
        print("  ".join(row(results[-1])), flush=True)
    print("\n" + p.aligned(TITLES, [row(r) for r in results] + summary(results)))
    logs = {seed: folder / f"seed{seed}.jsonl" for seed in seeds}
    curves = {seed: epochs_of(log) for seed, log in logs.items() if log.exists()}
    if curves and all(curves.values()):
        title = f"{options.set} {name}: test accuracy, seeds {', '.join(map(str, curves))}"
        (folder / "curves.svg").write_text(chart(title, curves), encoding="utf-8")
    all_of_it = {"recipe": name, "machine": p.machine(), "commit": p.commit(), "threads": options.threads, "runs": results}
    (folder / "results.json").write_text(json.dumps(all_of_it, indent=2), encoding="utf-8")
    print("\nfor docs/records.md:\n\n" + report(f"{options.set} {name}", results, options.threads))
    return 0


# ---- curves ----------------------------------------------------------------------------------------------------------

def epochs_of(log):
    """The test accuracy after each epoch, of a log of chalkgrad train."""
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    return [line["test_accuracy"] for line in lines if "test_accuracy" in line and "step" not in line]


def chart(title, curves):
    """Accuracy over epochs, a line for each seed, as SVG. `curves`: {seed: [accuracy after each epoch]}."""
    width, height, left, top, right, bottom = 640, 360, 60, 34, 16, 40
    epochs = max(map(len, curves.values()))
    best = max(max(curve) for curve in curves.values())
    least = min(min(curve) for curve in curves.values())
    step = next(s for s in (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2) if (best - least) / s <= 8 or s == 0.2)
    low, high = step * (least // step), step * (best // step + 1)

    def x(epoch):
        return left + (width - left - right) * epoch / epochs

    def y(accuracy):
        return top + (height - top - bottom) * (high - accuracy) / (high - low)

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
             f'font-size="12" fill="#333"><rect width="{width}" height="{height}" fill="#fff"/>',
             f'<text x="{left}" y="20" font-size="14">{title}</text>']
    for i in range(round((high - low) / step) + 1):
        value = low + i * step
        parts.append(f'<path d="M{left} {y(value):.1f}H{width - right}" stroke="#ddd"/>'
                     f'<text x="{left - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{100 * value:.4g} %</text>')
    for epoch in range(0, epochs + 1, max(1, epochs // 10)):
        parts.append(f'<text x="{x(epoch):.1f}" y="{height - bottom + 18}" text-anchor="middle">{epoch}</text>')
    parts.append(f'<text x="{(left + width - right) / 2:.0f}" y="{height - 6}" text-anchor="middle">epochs</text>')
    for i, curve in enumerate(curves.values()):
        points = " ".join(f"{x(epoch):.1f},{y(value):.1f}" for epoch, value in enumerate(curve, 1))
        parts.append(f'<polyline points="{points}" fill="none" stroke="hsl({205 + 37 * i} 60% 45%)" stroke-width="1.5"/>')
    return "\n".join([*parts, "</svg>", ""])


class SelfTest(unittest.TestCase):
    RUNS = [{"seed": 1, "accuracy": 0.94, "views_accuracy": 0.95, "seconds": 10.0, "processor_seconds": 19.0,
             "sha256": "ab" * 32, "resumed": False},
            {"seed": 2, "accuracy": 0.92, "views_accuracy": 0.93, "seconds": 4.0, "processor_seconds": 7.0,
             "sha256": "cd" * 32, "resumed": True}]

    def test_seeds_are_read(self):
        self.assertEqual(seeds_of("2..4"), [2, 3, 4])
        self.assertEqual(seeds_of("7"), [7])
        self.assertEqual(seeds_of("1,9"), [1, 9])
        for text in ("4..2", "x", "1,", "1.5"):
            with self.assertRaisesRegex(p.Mistake, "it must be seeds such as"):
                seeds_of(text)

    def test_what_was_run_on_other_pictures_does_not_count(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            kept = {**self.RUNS[0], "source": "folder:here"}
            (folder / "seed1.json").write_text(json.dumps(kept), encoding="utf-8")
            self.assertEqual(run_seed("none", "none", "folder:here", 1, 1, folder, "flip", False), kept)
            with self.assertRaisesRegex(p.Mistake, "holds a run on folder:here, not on folder:there; give another"):
                run_seed("none", "none", "folder:there", 1, 1, folder, "flip", False)

    def test_a_report_has_whole_hashes(self):
        text = report("a", self.RUNS, 1)
        self.assertTrue(text.startswith("a, 1 thread; chalkgrad "), text)
        self.assertIn(f"| 1 | 94.00 % | 95.00 % | 10.0 | 19.0 | `{'ab' * 32}` |", text)

    def test_an_archive_of_pictures_becomes_a_folder(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "train").mkdir()
            (folder / "train" / "a.jpg").write_text("a", encoding="utf-8")
            with tarfile.open(folder / "a.tar.xz", "w:xz") as archive:
                archive.add(folder / "train", "train")
            for _ in range(2):
                self.assertEqual(unpacked(str(folder / "a.tar.xz"), folder / "to"), f"folder:{folder}/to")
            self.assertEqual((folder / "to" / "train" / "a.jpg").read_text(encoding="utf-8"), "a")
            self.assertEqual(unpacked("mnist:x.tar.xz", folder / "other"), "mnist:x.tar.xz")
            with self.assertRaisesRegex(p.Mistake, "none.tar.xz cannot be unpacked: "):
                unpacked(f"{folder}/none.tar.xz", folder / "other")

    def test_the_time_of_a_run_that_was_interrupted_does_not_count(self):
        mean, deviation = summary(self.RUNS)
        self.assertEqual(mean, ["mean", "93.00 %", "94.00 %", "10.0", "13.0", ""])
        self.assertEqual(deviation[:4], ["deviation", "1.41 %", "1.41 %", "–"])
        self.assertEqual(row(self.RUNS[1])[3], "interrupted")

    def test_a_chart_has_a_line_for_each_seed_within_its_frame(self):
        text = chart("a", {1: [0.5, 0.9, 0.94], 2: [0.55, 0.91, 0.93]})
        lines = re.findall(r'points="([^"]*)"', text)
        self.assertEqual([len(line.split()) for line in lines], [3, 3])
        for point in " ".join(lines).split():
            x, y = map(float, point.split(","))
            self.assertTrue(60 <= x <= 624 and 34 <= y <= 320, point)

    def test_every_recipe_has_its_file(self):
        named = {file for recipes in KNOWN.values() for file, *_ in recipes.values()}
        self.assertEqual(named, {path.name for path in RECIPES.glob("*.toml")})


if __name__ == "__main__":
    p.begin(main)
