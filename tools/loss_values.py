#!/usr/bin/env python3
"""Writes tests/losses/pytorch.txt: what PyTorch makes of outputs and targets under each loss, and its gradients.

Needs torch (2.15 wrote the file). Each line is a loss, its options, a batch of outputs y and targets t, the batch's mean
loss and its gradient with respect to y, all in double. Where chalkgrad sums over a sample's outputs and PyTorch takes
their mean, or where PyTorch lacks a loss (focal, hinge), the line says it in PyTorch's own functions, so that the
derivative is PyTorch's in any case. Run it after adding a loss here; the test of the room `losses` reads the file.
"""
import pathlib
import random

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


def draw(shape, low=-3.0, high=3.0):
    count = 1
    for extent in shape:
        count *= extent
    return torch.tensor([round(random.uniform(low, high), 4) for _ in range(count)]).reshape(shape)


def one_hot(labels, classes):
    return F.one_hot(torch.tensor(labels), classes).double()


def distributions(n, classes):
    t = draw((n, classes), 0, 1)
    return t / t.sum(1, keepdim=True)


def weights(options, key="class_weights"):
    return torch.tensor(options[key]) if key in options else None


def cross_entropy(y, t, o):
    """With labels as PyTorch does; distributions by its sum, over the same denominator Σ w."""
    w, smoothing = weights(o), o.get("label_smoothing", 0.0)
    if o["labels"]:
        return F.cross_entropy(y, t.argmax(1), weight=w, label_smoothing=smoothing)
    total = F.cross_entropy(y, t, weight=w, label_smoothing=smoothing, reduction="sum")
    return total / (len(y) if w is None else (t * w).sum())


def log_likelihood(y, t, o):
    return -F.cross_entropy(y, t)


def focal(y, t, o):
    """Lin et al. 2017; PyTorch has none."""
    w = weights(o)
    w = torch.ones(y.shape[1]) if w is None else w
    log_p = F.log_softmax(y, 1)
    return -(w * t * (1 - log_p.exp()) ** o.get("gamma", 2.0) * log_p).sum() / (t * w).sum()


def pixel_cross_entropy(y, t, o):
    return F.cross_entropy(y, t.long(), weight=weights(o), ignore_index=o.get("ignored_label", -100))


def kl_divergence(y, t, o):
    return F.kl_div(F.log_softmax(y, 1), t, reduction="batchmean")


def multi_class_margin(y, t, o):
    return F.multi_margin_loss(y, t.argmax(1), p=2 if o.get("squared") else 1, margin=o.get("margin", 1.0))


def binary_cross_entropy(y, t, o):
    return F.binary_cross_entropy(y, t, reduction="sum") / len(y)


def sigmoid_cross_entropy(y, t, o):
    weight = weights(o, "positive_weights")
    return F.binary_cross_entropy_with_logits(y, t, pos_weight=weight, reduction="sum") / len(y)


def hinge(y, t, o):
    """Keras has it, PyTorch does not."""
    return F.relu(1 - torch.where(t > 0, 1.0, -1.0) * y).mean()


def squared_error(y, t, o):
    return F.mse_loss(y, t, reduction="sum") / 2 / len(y)


def sum_of_squares(y, t, o):
    return F.mse_loss(y, t, reduction="sum") / len(y)


def mean_squared_error(y, t, o):
    return F.mse_loss(y, t)


def mean_absolute_error(y, t, o):
    return F.l1_loss(y, t)


def huber(y, t, o):
    return F.huber_loss(y, t, delta=o.get("delta", 1.0))


def smooth_l1(y, t, o):
    return F.smooth_l1_loss(y, t, beta=o.get("beta", 1.0))


def gaussian_log_likelihood(y, t, o):
    return -F.mse_loss(y, t, reduction="sum") / 2 / len(y)


LABELS = [2, 0, 3, 3, 1]
W = [0.5, 2.0, 0.0, 1.25]


def cases():
    labels, soft = one_hot(LABELS, 4), distributions(5, 4)
    wide = torch.tensor([[30.0, -30.0, 0.0, 1.0], [-40.0, 40.0, 41.0, 39.0]])
    for y, t, is_label in [(draw((5, 4)), labels, True), (draw((5, 4)), soft, False),
                           (wide, one_hot([1, 1], 4), True)]:
        for o in [{}, {"label_smoothing": 0.1}, {"class_weights": W}, {"label_smoothing": 0.25, "class_weights": W},
                  {"label_smoothing": 1.0}]:
            yield cross_entropy, o, y, t, is_label
        for o in [{}, {"gamma": 0.0}, {"gamma": 0.5}, {"gamma": 1.0}, {"gamma": 2.5, "class_weights": W},
                  {"gamma": 5.0}]:
            if y is wide and o.get("gamma") == 0.5:
                continue  # where 1 − p rounds to 0, this formula has the gradient 0·∞ in PyTorch
            yield focal, o, y, t, is_label
        yield log_likelihood, {}, y, t, is_label
        yield kl_divergence, {}, y, t, is_label
    for y in (draw((5, 4)), wide):
        t = labels if len(y) == 5 else one_hot([1, 1], 4)
        for o in [{}, {"margin": 0.3}, {"squared": True, "margin": 2.0}]:
            yield multi_class_margin, o, y, t, True
    y = draw((2, 4, 2, 3))
    t = torch.tensor([[[0.0, 3, -100], [2, 1, 1]], [[3.0, -100, 1], [0, 0, 2]]])
    for o in [{}, {"class_weights": W}, {"ignored_label": 1}, {"ignored_label": 3, "class_weights": W}]:
        yield pixel_cross_entropy, o, y, torch.where(t < 0, float(o.get("ignored_label", -100)), t), False
    p, t = draw((3, 4), 0.02, 0.98), draw((3, 4), 0, 1)
    yield binary_cross_entropy, {}, p, t, False
    yield binary_cross_entropy, {}, p, (t > 0.5).double(), False
    for y in (draw((3, 4)), torch.tensor([[50.0, -50.0, 200.0, -200.0]] * 3)):
        for target in (t, (t > 0.5).double()):
            for o in [{}, {"positive_weights": [3.0]}, {"positive_weights": [0.5, 1.0, 2.0, 7.5]}]:
                yield sigmoid_cross_entropy, o, y, target, False
    y, t = draw((3, 4)), draw((3, 4))
    for rule in (squared_error, sum_of_squares, mean_squared_error, mean_absolute_error, gaussian_log_likelihood):
        yield rule, {}, y, t, False
    for o in [{}, {"delta": 0.4}, {"delta": 2.5}]:
        yield huber, o, y, t, False
    for o in [{}, {"beta": 0.4}, {"beta": 2.5}]:
        yield smooth_l1, o, y, t, False
    for target in (one_hot([1, 3, 0], 4), 2 * one_hot([1, 3, 0], 4) - 1):
        yield hinge, {}, y, target, False


def text(value):
    if isinstance(value, (list, tuple)):
        return ",".join(text(x) for x in value)
    return str(int(value)) if isinstance(value, (bool, int)) else repr(float(value))


def main():
    random.seed(7)
    version = torch.__version__.split("+")[0]
    lines = [f"# Written by tools/loss_values.py with PyTorch {version}: loss, options : shape of the outputs | "
             "outputs | targets | mean loss | its gradient"]
    for rule, options, y, t, labels in cases():
        y = y.clone().requires_grad_()
        loss = rule(y, t, dict(options, labels=labels))
        loss.backward()
        words = " ".join([rule.__name__] + [f"{k}={text(v)}" for k, v in options.items()])
        row = " | ".join(" ".join(repr(float(v)) for v in x.flatten().tolist()) for x in (y, t, loss.detach(), y.grad))
        lines.append(f"{words} : {' '.join(map(str, y.shape))} | {row}")
    target = pathlib.Path(__file__).resolve().parent.parent / "tests/losses/pytorch.txt"
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
