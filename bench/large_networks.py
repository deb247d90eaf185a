#!/usr/bin/env python3
"""Networks of many layers for 3×224×224, to measure how long it takes to plan one.

usage: bench/large_networks.py resnet152|densenet121 [TIMES]     prints the network, with TIMES as many layers

resnet152    bottlenecks, 3, 8, 36 and 3 of them (He et al. 2015), in one line
densenet121  blocks of 6, 12, 24 and 16 layers, each of which reads all before it (Huang et al. 2017), in TOML
"""
import sys


def resnet152(times):
    def bottleneck(width, stride=""):
        return f"{width}c1-bn-relu-{width}c3z{stride}-bn-relu-{4 * width}c1-bn"

    parts = ["64c7zs2-bn-relu-mp3s2z"]
    for width, blocks, stride in (64, 3, ""), (128, 8, "s2"), (256, 36, "s2"), (512, 3, "s2"):
        parts += [f"res({bottleneck(width, stride)},{4 * width}c1{stride}-bn)-relu"]
        parts += [f"{blocks * times - 1}*(res({bottleneck(width)})-relu)"]
    return "-".join(parts + ["gap-1000n"])


def densenet121(times, growth=32):
    tables = []

    def table(**keys):
        def written(value):
            return str(value).replace("'", '"') if isinstance(value, list) else str(value) if isinstance(value, int) else f'"{value}"'

        tables.append("\n".join(["[[layer]]"] + [f"{key.rstrip('_')} = {written(value)}" for key, value in keys.items()]))

    def convolution(name, filters, kernel):
        table(type="batch_norm")
        table(type="relu")
        table(name=name, type="conv", filters=filters, kernel=kernel, padding="same")

    table(chain=f"{2 * growth}c7zs2-bn-relu")
    table(name="stem", type="maxpool", window=3, stride=2, padding=1)
    width, last = 2 * growth, "stem"
    for block, layers in enumerate([6, 12, 24, 16]):
        known = [last]
        for layer in range(layers * times):
            name = f"block{block}_{layer}"
            table(type="concat", axis=0, from_=known)
            convolution(name + "_narrow", 4 * growth, 1)
            convolution(name, growth, 3)
            known.append(name)
        width += growth * layers * times
        table(type="concat", axis=0, from_=known)
        if block == 3:
            break
        width //= 2
        convolution(f"transition{block}", width, 1)
        last = f"pooled{block}"
        table(name=last, type="avgpool")
    table(chain="bn-relu-gap-1000n")
    return "\n\n".join(tables)


def main():
    makers = {maker.__name__: maker for maker in (resnet152, densenet121)}
    if len(sys.argv) not in (2, 3) or sys.argv[1] not in makers:
        sys.exit(__doc__)
    print(makers[sys.argv[1]](int(sys.argv[2]) if len(sys.argv) > 2 else 1))


if __name__ == "__main__":
    main()
