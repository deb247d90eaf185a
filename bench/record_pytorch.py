#!/usr/bin/env python3
"""The recipes of bench/records in PyTorch, on the same pictures: how good they become there, and how fast.

    record_pytorch.py airbench folder:FOLDER --seeds 1..3   trains; goes on from the checkpoint after the last epoch
    record_pytorch.py airbench folder:FOLDER --turns 5      samples a second, in turns with chalkgrad bench

All numbers of a recipe are read from its TOML; only the networks are written down here. Random numbers are PyTorch's
own, so the two agree as two seeds do. JPEGs are decoded by Pillow, to the same bytes as chalkgrad decodes them. Needs
torch, numpy and, for folders of pictures, Pillow.
"""
import argparse
import json
import pathlib
import statistics
import time
import tomllib

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import problems as p
from record import percent, seeds_of, spread

RECIPES = {"airbench": "cifar10.toml", "resnet20": "cifar10-resnet20.toml"}
MODES = ("eager", "channels_last", "compile", "compile channels_last")


# ---- pictures --------------------------------------------------------------------------------------------------------

def pictures(source, cache):
    """{"train": (uint8 N×3×32×32, labels), "test": …} of folder:FOLDER/train/CLASS/*.jpg, in chalkgrad's order."""
    if not source.startswith("folder:"):
        raise p.Mistake(f'the source is "{source}"; here it must be folder:FOLDER')
    if not cache.exists():
        from PIL import Image  # only to decode
        arrays = {}
        for part in ("train", "test"):
            classes = sorted(path for path in pathlib.Path(source[7:], part).iterdir() if path.is_dir())
            files = [(file, label) for label, folder in enumerate(classes) for file in sorted(folder.iterdir())]
            decoded = np.stack([np.asarray(Image.open(file).convert("RGB")) for file, _ in files])
            arrays[part] = decoded.transpose(0, 3, 1, 2)
            arrays[part + "_labels"] = np.array([label for _, label in files])
        cache.parent.mkdir(parents=True, exist_ok=True)
        np.savez(cache, **arrays)
    kept = np.load(cache)
    both = ("train", "test")
    return {part: (torch.from_numpy(kept[part]), torch.from_numpy(kept[part + "_labels"])) for part in both}


def normalised(data):
    """Each channel to mean 0 and deviation 1, as measured on the training pictures; and what a byte of 0 becomes."""
    levels = torch.arange(256, dtype=torch.double)
    counts = torch.stack([torch.bincount(x.flatten(), minlength=256) for x in data["train"][0].unbind(1)]).double()
    mean = (counts @ levels) / counts.sum(1)
    deviation = torch.sqrt((counts @ levels ** 2) / counts.sum(1) - mean ** 2)
    scale, shift = (1 / deviation).float()[:, None, None], (-mean / deviation).float()[:, None, None]
    return {part: (x * scale + shift, labels) for part, (x, labels) in data.items()}, shift


def augmented(x, text, epoch, always, random, black):
    """A batch, as the recipe's list says."""
    for one in text.replace(",border=", " border=").split(","):
        name, *options = one.split(" ")
        if name == "alternating-flip":
            mirrored = (always + epoch) % 2 == 1
            x = torch.where(mirrored[:, None, None, None], x.flip(-1), x)
        elif name == "flip":
            mirrored = torch.rand(len(x), generator=random) < 0.5
            x = torch.where(mirrored[:, None, None, None], x.flip(-1), x)
        elif name.startswith("shift:"):
            pixels = int(name[6:])
            if options == ["border=reflect"]:
                wide = F.pad(x, (pixels,) * 4, "reflect")
            else:
                wide = F.pad(x - black, (pixels,) * 4) + black
            places = torch.randint(0, 2 * pixels + 1, (2, len(x)), generator=random)
            moved = torch.empty_like(x)
            for i in range(2 * pixels + 1):
                for j in range(2 * pixels + 1):
                    of = (places[0] == i) & (places[1] == j)
                    moved[of] = wide[of, :, i:i + x.shape[2], j:j + x.shape[3]]
            x = moved
        else:
            raise p.Mistake(f'the augmentation "{name}" is not written down here')
    return x


# ---- networks --------------------------------------------------------------------------------------------------------

class Scaled(nn.Module):
    def forward(self, x):
        return x / 9


def airbench(train):
    def norm(channels):
        layer = nn.BatchNorm2d(channels, momentum=0.4)
        layer.weight.requires_grad = False
        return layer

    def conv(channels, filters):
        layer = nn.Conv2d(channels, filters, 3, padding="same", bias=False)
        nn.init.dirac_(layer.weight.data[:channels])
        return layer

    whiten = nn.Conv2d(3, 24, 2)
    nn.init.zeros_(whiten.bias)
    whiten.weight.requires_grad = False
    patches = train[::10].unfold(2, 2, 1).unfold(3, 2, 1).permute(0, 2, 3, 1, 4, 5).reshape(-1, 12).double()
    patches -= patches.mean(0)
    values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
    filters = (vectors / torch.sqrt(values + 5e-4)).T.flip(0).reshape(12, 3, 2, 2)
    whiten.weight.data[:] = torch.cat((filters, -filters))
    layers, channels = [whiten, nn.GELU()], 24
    for filters in (64, 256, 256):
        layers += [conv(channels, filters), nn.MaxPool2d(2), norm(filters), nn.GELU(),
                   conv(filters, filters), norm(filters), nn.GELU()]
        channels = filters
    return nn.Sequential(*layers, nn.MaxPool2d(3), nn.Flatten(), nn.Linear(channels, 10, bias=False), Scaled())


class Block(nn.Module):
    """Two convolutions and the shortcut of option A."""

    def __init__(self, channels, filters, stride):
        super().__init__()
        self.first, self.second = conv_he(channels, filters, stride), conv_he(filters, filters)
        self.norms = nn.ModuleList([nn.BatchNorm2d(filters), nn.BatchNorm2d(filters)])
        self.more, self.stride = filters - channels, stride

    def forward(self, x):
        y = self.norms[1](self.second(F.relu(self.norms[0](self.first(x)))))
        shortcut = x[:, :, ::self.stride, ::self.stride]
        return F.relu(y + F.pad(shortcut, (0, 0, 0, 0, 0, self.more)))


def conv_he(channels, filters, stride=1):
    layer = nn.Conv2d(channels, filters, 3, stride, padding=1, bias=False)
    nn.init.kaiming_normal_(layer.weight)
    return layer


def resnet20(train):
    layers, channels = [conv_he(3, 16), nn.BatchNorm2d(16), nn.ReLU()], 16
    for filters in (16, 32, 64):
        for block in range(3):
            layers.append(Block(channels, filters, 2 if block == 0 and filters > 16 else 1))
            channels = filters
    head = nn.Linear(64, 10)
    nn.init.kaiming_normal_(head.weight)
    nn.init.zeros_(head.bias)
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)


NETWORKS = {"airbench": airbench, "resnet20": resnet20}


# ---- training --------------------------------------------------------------------------------------------------------

def group_of(name, parameter, recipe, options):
    """What chalkgrad's roles and the recipe's groups make of a parameter: rate, weight decay, epochs."""
    lr, decay, epochs = options["lr"], options["weight_decay"] if parameter.ndim > 1 else 0, None
    if recipe == "airbench":
        called = "whiten.bias" if name == "0.bias" else "norm.bias" if name.endswith("bias") else name
        for group in options["group"]:
            if group["pattern"].replace("*", "") == called:
                lr *= group.get("lr_factor", 1)
                decay, epochs = group.get("weight_decay", decay), group.get("epochs")
    return {"params": [parameter], "lr": lr, "initial": lr, "weight_decay": decay, "epochs": epochs}


def factor(schedule, step, steps, in_epoch):
    name, *parameters = schedule.split(":")
    if name == "one-cycle":
        top = float(parameters[0].removeprefix("rise=")) * steps
        return (step + 1) / (top + 1) if step <= top else 1 - (step - top) / (steps - top)
    if name == "multi-step":
        return 0.1 ** sum(step // in_epoch >= int(epoch) for epoch in parameters[0].split(","))
    raise p.Mistake(f'the schedule "{name}" is not written down here')


class Run:
    def __init__(self, recipe, data, black, seed, mode):
        self.recipe, self.data, self.black, self.seed = recipe, data, black, seed
        self.options = tomllib.loads((p.ROOT / "bench" / "records" / RECIPES[recipe]).read_text())["train"]
        torch.manual_seed(seed)
        self.network = NETWORKS[recipe](data["train"][0])
        self.channels_last = "channels_last" in mode
        if self.channels_last:
            self.network = self.network.to(memory_format=torch.channels_last)
        groups = [group_of(name, parameter, recipe, self.options)
                  for name, parameter in self.network.named_parameters() if parameter.requires_grad]
        self.optimizer = torch.optim.SGD(groups, lr=1, momentum=self.options["momentum"],
                                         nesterov=self.options.get("nesterov", False))
        self.model = torch.compile(self.network) if "compile" in mode else self.network
        self.epoch = 0
        self.in_epoch = -(-len(data["train"][0]) // self.options["batch"])
        self.steps = self.in_epoch * self.options["epochs"]
        self.always = torch.randint(0, 2, (len(data["train"][0]),), generator=torch.Generator().manual_seed(seed))

    def step(self, rows, step, random):
        x, labels = self.data["train"]
        x = augmented(x[rows], self.options["augment"], self.epoch, self.always[rows], random, self.black)
        if self.channels_last:
            x = x.contiguous(memory_format=torch.channels_last)
        for group in self.optimizer.param_groups:
            trained = group["epochs"] is None or self.epoch < group["epochs"]
            group["lr"] = group["initial"] * factor(self.options["schedule"], step, self.steps, self.in_epoch) * trained
        loss = F.cross_entropy(self.model(x), labels[rows], label_smoothing=self.options.get("label_smoothing", 0))
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss

    def batches(self):
        """The rows of each step of the epoch, and what its random numbers come from."""
        random = torch.Generator().manual_seed(self.seed * 100003 + self.epoch)
        order = torch.randperm(len(self.data["train"][0]), generator=random)
        return order.split(self.options["batch"]), random

    def train_epoch(self):
        self.model.train()
        batches, random = self.batches()
        for i, rows in enumerate(batches):
            loss = self.step(rows, self.epoch * self.in_epoch + i, random)
        self.epoch += 1
        return loss.item()

    @torch.no_grad()
    def accuracy(self, views):
        self.network.eval()
        x, labels = self.data["test"]
        right = 0
        for xs, ts in zip(x.split(500), labels.split(500)):
            right += (self.logits(xs, views).argmax(1) == ts).sum().item()
        return right / len(x)

    def logits(self, x, views):
        def both(x):
            return (self.network(x) + self.network(x.flip(-1))) / 2
        if not views:
            return self.network(x)
        wide = F.pad(x, (1,) * 4, "reflect")
        return both(x) / 2 + (both(wide[:, :, :-2, :-2]) + both(wide[:, :, 2:, 2:])) / 4


def train(recipe, data, black, seed, folder, mode):
    """With a checkpoint after each epoch, from which it goes on."""
    run = Run(recipe, data, black, seed, mode)
    checkpoint, seconds = folder / f"seed{seed}.pt", 0.0
    if checkpoint.exists():
        kept = torch.load(checkpoint)
        run.network.load_state_dict(kept["network"])
        run.optimizer.load_state_dict(kept["optimizer"])
        run.epoch, seconds = kept["epoch"], kept["seconds"]
    while run.epoch < run.options["epochs"]:
        start = time.monotonic()
        loss = run.train_epoch()
        seconds += time.monotonic() - start
        part = checkpoint.with_suffix(".part")
        torch.save({"network": run.network.state_dict(), "optimizer": run.optimizer.state_dict(), "epoch": run.epoch,
                    "seconds": seconds}, part)
        part.rename(checkpoint)
        print(f"seed {seed}  epoch {run.epoch}/{run.options['epochs']}  loss {loss:.4f}  "
              f"test {percent(run.accuracy(False))}  {seconds:.0f} s", flush=True)
    return {"seed": seed, "accuracy": run.accuracy(False), "views_accuracy": run.accuracy(True), "seconds": seconds}


# ---- speed -----------------------------------------------------------------------------------------------------------

def turns(recipe, data, black, rounds, seconds, threads):
    """Samples a second of a training step, augmentation included; in turns."""
    speeds = {mode: [] for mode in ("chalkgrad", *MODES)}
    runs = {mode: Run(recipe, data, black, 1, mode) for mode in MODES}
    peak = []
    for _ in range(rounds):
        done = json.loads(p.call(p.APP, "bench", "--net", p.ROOT / "bench" / "records" / RECIPES[recipe], "--input",
                                 "3x32x32", "--batch", runs["eager"].options["batch"], "--threads", threads,
                                 "--seconds", seconds, "--only", "train", "--json"))
        speeds["chalkgrad"].append(done["training"]["samples_per_second"])
        peak.append(done["training"]["gflops"] / done["peak_gflops"])
        for mode, run in runs.items():
            run.model.train()
            batches, random = run.batches()
            run.step(batches[0], 0, random)  # compiles, the first time
            start, count = time.monotonic(), 0
            while time.monotonic() - start < seconds:
                run.step(batches[count % (len(batches) - 1)], 1, random)
                count += 1
            speeds[mode].append(count * run.options["batch"] / (time.monotonic() - start))
            print(f"{mode}: {speeds[mode][-1]:.0f} /s", flush=True)
        print(f"chalkgrad: {speeds['chalkgrad'][-1]:.0f} /s, {peak[-1]:.0%} of the peak", flush=True)
    medians = {mode: statistics.median(values) for mode, values in speeds.items()}
    best = max(MODES, key=medians.get)
    for mode, value in medians.items():
        print(f"{mode:24} {value:7.0f} /s")
    print(f"chalkgrad is {medians['chalkgrad'] / medians[best]:.2f} times as fast as {best}; "
          f"{statistics.median(peak):.0%} of the peak; {p.machine()}; PyTorch {torch.__version__}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", choices=sorted(RECIPES))
    parser.add_argument("source", help="folder:FOLDER", metavar="SOURCE")
    parser.add_argument("--seeds", default="1..3", metavar="SEEDS")
    parser.add_argument("--mode", choices=MODES, default="channels_last")
    parser.add_argument("--threads", type=int, default=p.cores(), metavar="N")
    parser.add_argument("--turns", type=int, help="measure speed only, in so many turns", metavar="N")
    parser.add_argument("--seconds", type=float, default=10, help="of each turn (10)", metavar="S")
    parser.add_argument("--out", type=pathlib.Path, help="where checkpoints are kept", metavar="FOLDER")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    folder = options.out or p.ROOT / "build" / "records" / f"pytorch-{options.recipe}"
    folder.mkdir(parents=True, exist_ok=True)
    data, black = normalised(pictures(options.source, folder.parent / "cifar10-pictures.npz"))
    if options.turns:
        turns(options.recipe, data, black, options.turns, options.seconds, options.threads)
        return 0
    results = [train(options.recipe, data, black, seed, folder, options.mode) for seed in seeds_of(options.seeds)]
    for key in ("accuracy", "views_accuracy"):
        mean, deviation = spread([result[key] for result in results])
        print(f"{key}: " + ", ".join(percent(result[key]) for result in results) + f"; mean {percent(mean)}"
              + (f", deviation {percent(deviation)}" if deviation is not None else ""))
    (folder / "results.json").write_text(json.dumps(results, indent=2), encoding="utf-8")
    return 0


if __name__ == "__main__":
    p.begin(main)
