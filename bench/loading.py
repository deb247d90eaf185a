#!/usr/bin/env python3
"""How fast pictures become samples: chalkgrad beside torchvision's DataLoader, in turns, each with as many workers. Decoded
from JPEG files, a padded crop and a flip, floats in [channel][row][column], in a shuffled order; nothing is trained.

FOLDER has a folder for each class, with square JPEGs of one size. torch and torchvision must be there (bench/requirements.txt; pip
install torchvision==0.29.2); --python names the interpreter that has them.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
AUGMENT = "shift:4,flip"

# Batches of 128 by ImageFolder, as its documentation has it; workers live on from epoch to epoch.
WORKER = """
import sys, time, warnings
warnings.filterwarnings("ignore")
import torch
from torchvision import datasets
from torchvision.transforms import v2
folder, workers, seconds, tensors = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4] == "tensors"
torch.set_num_threads(1)
side = int(sys.argv[5])
steps = [v2.RandomCrop(side, padding=4), v2.RandomHorizontalFlip(), v2.ToImage(), v2.ToDtype(torch.float32, scale=True),
         v2.Normalize([0.5] * 3, [0.25] * 3)]
if tensors:
    steps = steps[2:3] + steps[:2] + steps[3:]
data = datasets.ImageFolder(folder, v2.Compose(steps))
loader = torch.utils.data.DataLoader(data, batch_size=128, shuffle=True, num_workers=workers, persistent_workers=True,
                                     prefetch_factor=4, drop_last=True)
for batch in loader:  # the workers start
    break
done, start = 0, time.time()
while True:
    for x, y in loader:
        done += len(y)
        if time.time() - start > seconds:
            print(done / (time.time() - start))
            sys.stdout.flush()
            import os
            os._exit(0)
"""


def run(command):
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--side", type=int, default=32, help="pixels of a side of the pictures, which are square")
    parser.add_argument("--program", default=ROOT / "build/release/loading_bench")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--json", action="store_true")
    o = parser.parse_args()
    found = {"chalkgrad": [], "torchvision, PIL images": [], "torchvision, tensors": []}
    for _ in range(o.rounds):
        for name, rates in found.items():
            if name == "chalkgrad":
                command = [o.program, f"folder:{o.folder}", AUGMENT, str(o.workers), str(o.seconds)]
            else:
                command = [o.python, "-c", WORKER, o.folder, str(o.workers), str(o.seconds), name.split()[-1], str(o.side)]
            rates.append(run(command))
    result = {name: statistics.median(rates) for name, rates in found.items()}
    ratio = result["chalkgrad"] / max(rate for name, rate in result.items() if name != "chalkgrad")
    load = os.getloadavg()[0]
    if o.json:
        print(json.dumps({**result, "ratio": ratio, "workers": o.workers, "load": load}))
        return
    for name, rate in result.items():
        print(f"{name:24} {rate:10,.0f} pictures/s  ({min(found[name]):,.0f} to {max(found[name]):,.0f})")
    print(f"{ratio:.2f} times the faster of torchvision's, {o.workers} workers each, medians of {o.rounds} rounds; load {load:.1f}")


if __name__ == "__main__":
    main()
