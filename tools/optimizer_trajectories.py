#!/usr/bin/env python3
"""Writes tests/optimizers/trajectories.txt: what each optimizer makes of a parameter and a row of gradients.

The rules are written here once more, in plain Python's doubles, from the papers and from the code of PyTorch 2.15
(torch.optim), so that an error in chalkgrad's graphs cannot hide. Run it after adding an optimizer here; the test of the
room `optimizers` reads the file. tools/record_pytorch_optimizers.py writes what PyTorch itself does.
"""
import math
import pathlib

GRADIENTS = [0.5, -0.25, 1.5, 0.0, -2.0, 0.125, 1e-3, -1e-3, 3.0, 0.75, 0.0, -0.6]
FIRST = 0.8


def signed(grads, ascends):
    """Downhill on −J is uphill on J."""
    return [-g if ascends else g for g in grads]


def average(a, value, decay):
    return decay * a + (1 - decay) * value


def decayed(w, g, lr, weight_decay, decoupled):
    """The weight and its gradient after weight decay, which shrinks the one or is part of the other."""
    return (w * (1 - lr * weight_decay), g) if decoupled else (w, g + weight_decay * w)


def sgd(w, grads, lr=0.05, momentum=0.9, dampening=0.0, nesterov=False, weight_decay=0.0, ascends=False):
    v = None
    for g in signed(grads, ascends):
        g = g + weight_decay * w
        if momentum:
            v = g if v is None else momentum * v + (1 - dampening) * g
            g = g + momentum * v if nesterov else v
        w -= lr * g
        yield w


def adagrad(w, grads, lr=0.01, lr_decay=0.0, initial_accumulator=0.0, epsilon=1e-10, weight_decay=0.0, ascends=False):
    total = initial_accumulator
    for t, g in enumerate(signed(grads, ascends)):
        g = g + weight_decay * w
        total += g * g
        w -= lr / (1 + lr_decay * t) * g / (math.sqrt(total) + epsilon)
        yield w


def adadelta(w, grads, lr=1.0, rho=0.9, epsilon=1e-6, weight_decay=0.0, ascends=False):
    s = d = 0.0
    for g in signed(grads, ascends):
        g = g + weight_decay * w
        s = average(s, g * g, rho)
        step = math.sqrt(d + epsilon) / math.sqrt(s + epsilon) * g
        d = average(d, step * step, rho)
        w -= lr * step
        yield w


def rmsprop(w, grads, lr=0.01, alpha=0.99, momentum=0.0, centered=False, epsilon=1e-8, weight_decay=0.0, ascends=False):
    s = m = v = 0.0
    for g in signed(grads, ascends):
        g = g + weight_decay * w
        s, m = average(s, g * g, alpha), average(m, g, alpha)
        step = g / (math.sqrt(max(s - m * m, 0) if centered else s) + epsilon)
        v = momentum * v + step
        w -= lr * v
        yield w


def adam(w, grads, lr=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.0, amsgrad=False, ascends=False,
         decoupled=False):
    m = s = largest = 0.0
    for t, g in enumerate(signed(grads, ascends), 1):
        w, g = decayed(w, g, lr, weight_decay, decoupled)
        m, s = average(m, g, beta1), average(s, g * g, beta2)
        largest = max(largest, s)
        root = math.sqrt((largest if amsgrad else s) / (1 - beta2 ** t))
        w -= lr * m / (1 - beta1 ** t) / (root + epsilon)
        yield w


def adamw(w, grads, weight_decay=0.01, **options):
    return adam(w, grads, weight_decay=weight_decay, decoupled=True, **options)


def adamax(w, grads, lr=0.002, beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.0, ascends=False):
    m = u = 0.0
    for t, g in enumerate(signed(grads, ascends), 1):
        g = g + weight_decay * w
        m, u = average(m, g, beta1), max(beta2 * u, abs(g) + epsilon)
        w -= lr / (1 - beta1 ** t) * m / u
        yield w


def nadam(w, grads, lr=0.002, beta1=0.9, beta2=0.999, momentum_decay=0.004, epsilon=1e-8, weight_decay=0.0,
          decoupled_weight_decay=False, ascends=False):
    def momentum(t):
        return beta1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))
    m, s, product = 0.0, 0.0, 1.0
    for t, g in enumerate(signed(grads, ascends), 1):
        w, g = decayed(w, g, lr, weight_decay, decoupled_weight_decay)
        m, s = average(m, g, beta1), average(s, g * g, beta2)
        product *= momentum(t)
        ahead = (1 - momentum(t)) / (1 - product) * g + momentum(t + 1) / (1 - product * momentum(t + 1)) * m
        w -= lr * ahead / (math.sqrt(s / (1 - beta2 ** t)) + epsilon)
        yield w


def radam(w, grads, lr=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.0, decoupled_weight_decay=False,
          ascends=False):
    m = s = 0.0
    limit = 2 / (1 - beta2) - 1
    for t, g in enumerate(signed(grads, ascends), 1):
        w, g = decayed(w, g, lr, weight_decay, decoupled_weight_decay)
        m, s = average(m, g, beta1), average(s, g * g, beta2)
        length = limit - 2 * t * beta2 ** t / (1 - beta2 ** t)
        step = m / (1 - beta1 ** t)
        if length > 5:
            r = math.sqrt((length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length))
            step *= r * math.sqrt(1 - beta2 ** t) / (math.sqrt(s) + epsilon)
        w -= lr * step
        yield w


def lion(w, grads, lr=1e-4, beta1=0.9, beta2=0.99, weight_decay=0.0, ascends=False):
    m = 0.0
    for g in signed(grads, ascends):
        c = average(m, g, beta1)
        w = w - lr * ((c > 0) - (c < 0)) - lr * weight_decay * w
        m = average(m, g, beta2)
        yield w


def close_to_zero(beta1, beta2):
    """Gradients whose mean is so close to 0 that its sign tells of any error in m: Lion's step knows nothing else."""
    m, grads = 0.0, []
    for t, first in enumerate(GRADIENTS):
        last = first if t < 2 else -beta1 / (1 - beta1) * m * (1 + (5e-5 if t % 2 else -5e-5))
        grads.append(0.5 * last if t == 2 else last)
        m = average(m, grads[-1], beta2)
    return grads


def product(a, b):
    return [[sum(x * y for x, y in zip(row, column)) for column in zip(*b)] for row in a]


def transposed(a):
    return [list(column) for column in zip(*a)]


def newton_schulz(u, steps, a, b, c, epsilon):
    if len(u) > len(u[0]):
        return transposed(newton_schulz(transposed(u), steps, a, b, c, epsilon))
    norm = max(math.sqrt(sum(x * x for row in u for x in row)), epsilon)
    x = [[value / norm for value in row] for row in u]
    for _ in range(steps):
        gram = product(x, transposed(x))
        square = product(gram, gram)
        inner = [[b * p + c * q for p, q in zip(*rows)] for rows in zip(gram, square)]
        x = [[a * p + q for p, q in zip(*rows)] for rows in zip(x, product(inner, x))]
    return x


def muon(w, grads, rows=2, lr=0.02, momentum=0.95, nesterov=True, weight_decay=0.1, ns_steps=5, ns_a=3.4445, ns_b=-4.775,
         ns_c=2.0315, epsilon=1e-7, adjust_lr_fn="original", adamw_lr=0.001, adamw_beta1=0.9, adamw_beta2=0.999,
         adamw_epsilon=1e-8, ascends=False):
    """Of lists of numbers: a matrix, row by row, with so many rows; or, with rows=0, a bias."""
    if rows == 0:
        ways = [adamw(first, each, lr=adamw_lr, beta1=adamw_beta1, beta2=adamw_beta2, epsilon=adamw_epsilon,
                      weight_decay=0.0, ascends=ascends) for first, each in zip(w, zip(*grads))]
        yield from map(list, zip(*ways))
        return
    columns = len(w) // rows
    scale = {"original": math.sqrt(max(1, rows / columns)), "match_rms_adamw": 0.2 * math.sqrt(max(rows, columns)),
             "spectral_unclamped": math.sqrt(rows / columns)}[adjust_lr_fn]
    v = [0.0] * len(w)
    for g in grads:
        g = signed(g, ascends)
        v = [average(p, q, momentum) for p, q in zip(v, g)]
        u = [average(q, p, 1 - momentum) for p, q in zip(v, g)] if nesterov else v
        x = newton_schulz([u[i * columns:(i + 1) * columns] for i in range(rows)], ns_steps, ns_a, ns_b, ns_c, epsilon)
        w = [p - lr * weight_decay * p - lr * scale * q for p, q in zip(w, sum(x, []))]
        yield w


def matrix(elements):
    """The first value of each element, and its gradients: as above, each a step later than the one before it."""
    return ([FIRST - 0.3 * i for i in range(elements)],
            [[GRADIENTS[(t + 5 * i) % len(GRADIENTS)] * (1 + i / 4) for i in range(elements)] for t in range(len(GRADIENTS))])


CASES = [
    (sgd, {"lr": 0.1, "momentum": 0.0}),
    (sgd, {}),
    (sgd, {"nesterov": True, "weight_decay": 0.01}),
    (sgd, {"weight_decay": 0.1, "ascends": True}),
    (sgd, {"dampening": 0.5, "weight_decay": 0.1}),
    (sgd, {"momentum": 0.5, "dampening": 1.0}),
    (adagrad, {"lr": 0.1}),
    (adagrad, {"lr": 0.1, "initial_accumulator": 0.1, "epsilon": 1e-3, "weight_decay": 0.05}),
    (adagrad, {"lr": 0.5, "lr_decay": 0.25}),
    (adagrad, {"lr": 0.1, "weight_decay": 0.05, "ascends": True}),
    (adadelta, {}),
    (adadelta, {"lr": 0.5, "rho": 0.75, "epsilon": 1e-2, "weight_decay": 0.05}),
    (adadelta, {"epsilon": 1e-3, "weight_decay": 0.05, "ascends": True}),
    (rmsprop, {"lr": 0.001}),
    (rmsprop, {"alpha": 0.75, "momentum": 0.5, "epsilon": 1e-2, "weight_decay": 0.05}),
    (rmsprop, {"centered": True}),
    (rmsprop, {"alpha": 0.5, "centered": True, "momentum": 0.9, "epsilon": 1e-3, "weight_decay": 0.05, "ascends": True}),
    (adam, {}),
    (adam, {"lr": 0.1, "beta1": 0.75, "beta2": 0.5, "epsilon": 1e-2, "weight_decay": 0.05}),
    (adam, {"lr": 0.1, "beta2": 0.75, "amsgrad": True}),
    (adam, {"lr": 0.1, "beta1": 0.25, "beta2": 0.5, "amsgrad": True, "weight_decay": 0.05, "ascends": True}),
    (adamw, {}),
    (adamw, {"lr": 0.1, "beta1": 0.75, "beta2": 0.5, "epsilon": 1e-2, "weight_decay": 0.05}),
    (adamw, {"lr": 0.1, "beta2": 0.75, "amsgrad": True, "ascends": True}),
    (adamax, {}),
    (adamax, {"lr": 0.1, "beta1": 0.75, "beta2": 0.5, "epsilon": 1e-2, "weight_decay": 0.05}),
    (adamax, {"lr": 0.1, "weight_decay": 0.05, "ascends": True}),
    (nadam, {}),
    (nadam, {"lr": 0.1, "beta1": 0.75, "beta2": 0.5, "momentum_decay": 0.5, "epsilon": 1e-2, "weight_decay": 0.05}),
    (nadam, {"lr": 0.1, "weight_decay": 0.05, "decoupled_weight_decay": True, "ascends": True}),
    (radam, {}),
    (radam, {"lr": 0.1, "beta1": 0.75, "beta2": 0.9, "epsilon": 1e-2, "weight_decay": 0.05}),
    (radam, {"lr": 0.1, "weight_decay": 0.05, "decoupled_weight_decay": True, "ascends": True}),
    (lion, {}),
    (lion, {"lr": 0.01, "beta1": 0.75, "beta2": 0.5, "weight_decay": 0.05}),
    (lion, {"lr": 0.01, "weight_decay": 0.05, "ascends": True}),
    (muon, {"shape": "2x3"}),
    (muon, {"shape": "3x2", "lr": 0.1, "momentum": 0.75, "nesterov": False, "weight_decay": 0.0}),
    (muon, {"shape": "2x2", "lr": 0.1, "ns_steps": 2, "ns_a": 2.0, "ns_b": -1.5, "ns_c": 0.5, "epsilon": 3.0, "ascends": True}),
    (muon, {"shape": "2x1x3", "adjust_lr_fn": "match_rms_adamw"}),
    (muon, {"shape": "3x1x1x2", "adjust_lr_fn": "spectral_unclamped", "ns_steps": 0}),
    (muon, {"shape": "2", "lr": 0.1, "adamw_lr": 0.01}),
    (muon, {"shape": "2", "adamw_beta1": 0.75, "adamw_beta2": 0.5, "adamw_epsilon": 1e-2, "ascends": True}),
]


def numbers(values):
    return " ".join(map(repr, values))


def line(rule, options):
    words = [rule.__name__] + [f"{k}={int(v) if isinstance(v, bool) else v}" for k, v in options.items()]
    given = dict(options)
    shape = given.pop("shape", "")
    if shape:
        extents = [int(extent) for extent in shape.split("x")]
        first, grads = matrix(math.prod(extents))
        values = sum(rule(first, grads, rows=extents[0] if len(extents) > 1 else 0, **given), [])
        grads = sum(grads, [])
    else:
        first, grads = [FIRST], GRADIENTS
        if rule is lion:
            grads = close_to_zero(given.get("beta1", 0.9), given.get("beta2", 0.99))
        values = list(rule(FIRST, grads, **given))
    return f"{' '.join(words)} : {' | '.join(map(numbers, (first, grads, values)))}"


def main():
    head = ("# Written by tools/optimizer_trajectories.py: optimizer, options : parameter | gradients | parameter after each "
            "step. A parameter without a shape is one number.")
    target = pathlib.Path(__file__).resolve().parent.parent / "tests/optimizers/trajectories.txt"
    target.write_text("\n".join([head, *(line(*case) for case in CASES)]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
