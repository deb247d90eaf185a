#!/usr/bin/env python3
"""Is the present tree faster than a commit? Builds that commit in a git worktree under build/, and runs each problem
with both in turns: base, present, base, present, … Ratios above 1 mean that the present tree is faster.
"""
import argparse
import json
import subprocess

import problems as p

BASE_TREE = p.ROOT / "build" / "base"


def run(*command, cwd=p.ROOT):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise p.Mistake(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr).strip()[-2000:]}")
    return done.stdout.strip()


def build_base(base):
    """The commit's chalkgrad; the worktree is kept, so that the next one builds what differs."""
    try:
        sha = run("git", "rev-parse", "--verify", "--quiet", "--end-of-options", f"{base}^{{commit}}")
    except p.Mistake as error:
        raise p.Mistake(f'there is no commit "{base}" here; name one, a branch or a tag') from error
    if not (BASE_TREE / ".git").exists():
        run("git", "worktree", "add", "--force", "--detach", str(BASE_TREE), sha)
    run("git", "checkout", "--force", "--detach", sha, cwd=BASE_TREE)
    print(f"Building {base} ({sha[:10]}) in build/base", flush=True)
    run("cmake", "--preset", "release", "-DCHALKGRAD_TESTS=OFF", cwd=BASE_TREE)
    run("cmake", "--build", "build/release", "--target", "chalkgrad_app", cwd=BASE_TREE)
    return sha, BASE_TREE / "build" / "release" / "chalkgrad"


def main():
    parser = argparse.ArgumentParser(prog="./dev bench compare", description=__doc__)
    parser.add_argument("base", help="a commit", metavar="BASE")
    parser.add_argument("--list", default=p.GOALS, help="the problems (bench/goals.txt)", metavar="FILE")
    parser.add_argument("--only", action="append", help="this problem of the list; may be repeated", metavar="NAME")
    parser.add_argument("--seconds", type=float, default=1, help="for each turn (1)", metavar="S")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each (5)", metavar="N")
    parser.add_argument("--json", action="store_true", help="for scripts")
    options = parser.parse_args()

    chosen = p.read_list(options.list, options.only)
    sha, base_app = build_base(options.base)
    results = []
    for problem in chosen:
        for threads in problem.thread_counts():
            base, present = [], []
            for _ in range(options.rounds):
                base.append(p.measure(problem, threads, options.seconds, base_app)["samples_per_second"])
                present.append(p.measure(problem, threads, options.seconds)["samples_per_second"])
            ratios = [b / a for a, b in zip(base, present)]
            results.append({"problem": problem.name, "batch": problem.batch, "threads": threads,
                            "base": p.median(base), "present": p.median(present), "ratio": p.median(ratios),
                            "least": min(ratios), "most": max(ratios)})
    if options.json:
        print(json.dumps({"machine": p.machine(), "base": sha, "present": p.commit(), "problems": results}, indent=2))
        return 0
    rows = [[r["problem"], str(r["threads"]), p.speed(r["base"], r["batch"]),
             p.speed(r["present"], r["batch"], r["base"]), p.times(r["ratio"]), f"{r['least']:.2f} to {r['most']:.2f}"]
            for r in results]
    print(p.aligned(["problem", "threads", "base", "present", "ratio", "of each round"], rows))
    print(f"\nbase {sha[:10]}, present {p.commit()}; {p.machine()}")
    return 0


if __name__ == "__main__":
    p.begin(main)
