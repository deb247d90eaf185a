# Written by tools/python_stubs.py.
from collections.abc import Sequence
from typing import TypedDict

class TrainingOptions(TypedDict, total=False):
    """What train() takes by keyword, apart from callbacks. Options that are left out have their defaults."""

    loss: str
    epochs: int
    batch: int
    optimizer: str
    lr: float
    momentum: float
    dampening: float
    nesterov: bool
    weight_decay: float
    schedule: str
    augment: str
    clip_value: float
    clip_norm: float
    groups: str
    l1: float
    lookahead: str
    average: str
    seed: int
    patience: int
    by_accuracy: bool
    keep_last: bool
    lr_decay: float
    initial_accumulator: float
    epsilon: float
    rho: float
    alpha: float
    centered: bool
    beta1: float
    beta2: float
    amsgrad: bool
    momentum_decay: float
    decoupled_weight_decay: bool
    ns_steps: int
    ns_a: float
    ns_b: float
    ns_c: float
    adjust_lr_fn: str
    adamw_lr: float
    adamw_beta1: float
    adamw_beta2: float
    adamw_epsilon: float
    label_smoothing: float
    class_weights: Sequence[float]
    gamma: float
    ignored_label: int
    margin: float
    squared: bool
    positive_weights: Sequence[float]
    delta: float
    beta: float
