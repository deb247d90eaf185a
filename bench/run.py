#!/usr/bin/env python3
"""How fast chalkgrad is on this machine: each problem of a list on one thread and on all cores, the share of the peak
of fused multiply-adds measured in the same run, and what a start, the memory and the program's size come to.
"""
import argparse
import json
import sys

import problems as p


def rows_of(results):
    rows = []
    for result in results:
        problem, one = result["problem"], None
        for threads, run in result["runs"].items():
            ratio = ""
            if one:
                ratio = p.times(run["samples_per_second"] / one)
            one = one or run["samples_per_second"]
            rows.append([problem.name, str(problem.batch), threads, f"{run['samples_per_second']:,.0f}",
                         f"{run['seconds_per_step'] * 1e6:,.1f}", f"{run['gflops']:.1f}", f"{100 * run['of_peak']:.0f} %",
                         ratio])
    return rows


def main():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--list", default=p.GOALS, help="the problems (bench/goals.txt)", metavar="FILE")
    parser.add_argument("--only", action="append", help="this problem of the list; may be repeated", metavar="NAME")
    parser.add_argument("--seconds", type=float, default=3, help="for each line (3)", metavar="S")
    parser.add_argument("--json", action="store_true", help="for scripts")
    parser.add_argument("--markdown", action="store_true", help="for documents")
    options = parser.parse_args()

    results = []
    for problem in p.read_list(options.list, options.only):
        runs = {}
        for threads in problem.thread_counts():
            if sys.stderr.isatty():
                print(f"\r\033[K{problem.name} on {threads} …", end="", file=sys.stderr, flush=True)
            runs[str(threads)] = p.measure(problem, threads, options.seconds)
        results.append({"problem": problem, "runs": runs})
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    facts = p.facts()

    if options.json:
        for result in results:
            result["problem"] = vars(result["problem"])
        print(json.dumps({"machine": p.machine(), "commit": p.commit(), "problems": results, **facts}, indent=2))
        return 0
    titles = ["problem", "batch", "threads", "samples/s", "µs/step", "GFLOP/s", "of peak", "to 1 thread"]
    print((p.markdown if options.markdown else p.aligned)(titles, rows_of(results)))
    last = list(results[-1]["runs"].values())[-1]
    print(f"\n{p.machine()}; {last['instruction_set']}, commit {p.commit()}")
    print(f"peak of fused multiply-adds in the last run: {last['peak_gflops']:.0f} GFLOP/s")
    print(f"training {p.FIRST}, batch 64: at most {facts['peak_memory'] / 1e6:.1f} MB of memory beyond the data, "
          f"{1e3 * facts['first_step_seconds']:.1f} ms from the process's start to the end of its first step; "
          f"the program without symbols has {facts['binary_bytes'] / 1e6:.2f} MB, "
          + ("statically linked" if facts["binary_is_static"] else "beside the shared libraries that it needs"))
    return 0


if __name__ == "__main__":
    p.begin(main)
