# Written by tools/python_stubs.py.
"""The engine's classes and functions, as chalkgrad shows them."""

from collections.abc import Sequence, Set
from typing import Any, overload

import numpy


class Error(Exception): ...
class ShapeError(Error, ValueError): ...
class InputError(Error, ValueError): ...
class NumericError(Error, FloatingPointError): ...
from chalkgrad.notebook import _report as _repr_html_


def instruction_set() -> str:
    """
    The instruction set in use: 'avx512', 'avx2', 'neon' or 'portable'. Results do not depend on it.

    CHALKGRAD_TARGET=avx2 in the environment forces one.

    >>> chalkgrad.instruction_set() in ('avx512', 'avx2', 'neon', 'portable')
    True
    """

def training_fields() -> list[dict[str, Any]]:
    """
    What train() takes by keyword, apart from callbacks: a dict for each option with its name, type, default, range, sentence (help), and whether it is one of an optimizer or a loss (of), and of which (owners).

    >>> [f['default'] for f in chalkgrad.training_fields() if f['name'] == 'epochs']
    [10]
    """

def optimizers() -> list[str]:
    """
    The names of all optimizers.

    >>> 'adam' in chalkgrad.optimizers()
    True
    """

def losses() -> list[str]:
    """
    The names of all losses, and of likelihoods, which are maximised.

    >>> 'cross-entropy' in chalkgrad.losses()
    True
    """

class Dataset:
    """
    Samples and their targets.

    Dataset(x, y) takes arrays: x of N samples, first axis first, pictures as N×channels×rows×columns. uint8 are pixels, which enter the network normalised; all other numbers become float32 and enter as they are, unless `normalise` says otherwise. y are N whole numbers, the classes 0, 1, …, or floats to regress on, N or N×….

    Dataset(batches) takes whatever gives (x, y) when it is iterated over, batches or single samples, as a torch.utils.data.DataLoader does: once, to its end, and keeps them.

    An array of 64 MB and more that is uint8 or float32, aligned and in C order is read where it is, and must not change meanwhile; everything else is copied.

    weights: what each sample counts in the mean loss, N numbers of at least 0; without, each 1. A sample of weight 2 counts as two.
    class_names: one for each class; without, '0', '1', … up to the highest label.
    normalise: 'channel', 'sample', 'min-max', 'none' or 'given:MEAN,…/DEVIATION,…', as in docs/cli.md; without, 'channel' of uint8, and none of others.

    Raises InputError (a ValueError) naming the sample for numbers that are not finite, labels that are out of range, and numbers of samples that differ.

    >>> x = numpy.zeros((4, 1, 8, 8), numpy.uint8)
    >>> chalkgrad.Dataset(x, [0, 1, 1, 2])
    <chalkgrad.Dataset 'arrays': 4 samples of 1×8×8, 3 classes>
    """

    def __init__(self, x: object, y: object | None = None, *, weights: object | None = None, class_names: Sequence[str] | None = None, normalise: str = '', name: str = 'arrays') -> None: ...

    @property
    def name(self) -> str:
        """What messages call it."""

    @property
    def class_names(self) -> list[str]:
        """One for each class; empty for values to regress on."""

    @property
    def sample(self) -> tuple[int, ...]:
        """The shape of one sample."""

    @property
    def target(self) -> tuple[int, ...]:
        """The shape of one target, if they are no labels."""

    @property
    def x(self) -> numpy.ndarray:
        """All samples, N×…, uint8 or float32: a read-only view, without a copy."""

    @property
    def y(self) -> numpy.ndarray:
        """
        All labels (int32) or targets (float32): a read-only view, without a copy.
        """

    @property
    def weights(self) -> numpy.ndarray:
        """
        What each sample counts (float32), empty if that is 1: a read-only view, without a copy.
        """

    def __len__(self) -> int: ...

    def __repr__(self) -> str: ...

    def digest(self) -> str:
        """
        A text that tells data from others by all that training makes use of. Equal digests mean the same data.

        >>> split = chalkgrad.digits()
        >>> split.train.digest() == split.test.digest(), split.test.digest() == chalkgrad.digits().test.digest()
        (False, True)
        """

    def has_digest(self, digest: str) -> bool:
        """
        Whether this digest, perhaps of an earlier program, is of these data.

        >>> net, data = chalkgrad.Network('10n', (1, 8, 8)), chalkgrad.digits().train
        >>> _ = chalkgrad.train(net, data, epochs=1)
        >>> data.has_digest(net.training['digest'])
        True
        """

class Split:
    """
    The two parts of a data set, and remarks on how it was read.

    >>> len(chalkgrad.digits().train), len(chalkgrad.digits().test)
    (1438, 359)
    """

    @property
    def train(self) -> Dataset:
        """To train on."""

    @property
    def test(self) -> Dataset:
        """To judge by; it may have no samples."""

    @property
    def remarks(self) -> list[str]:
        """What to know about how the data were read, a sentence each."""

def load_dataset(source: str, *, normalise: str = '', skip_bad: bool = False) -> Split:
    """
    The Split of a data set as the command line knows it: 'digits', 'mnist:FOLDER', 'folder:FOLDER,size=32x32', … (docs/formats.md).

    Raises InputError naming what is wrong with the data, and where.

    >>> len(chalkgrad.load_dataset('digits').train)
    1438
    """

def digits() -> Split:
    """
    The 1,797 handwritten digits that are built in, 1×8×8: every fifth is a test sample.

    >>> chalkgrad.digits().test
    <chalkgrad.Dataset 'digits': 359 samples of 1×8×8, 10 classes>
    """

def hold_out(data: Dataset, how: str = '0.1') -> Split:
    """
    Takes a share of the samples away for validation: Split.train are the others, Split.test those that were taken.

    how: '0.1', '0.1,stratified' (each class in proportion), '0.1,seed=3'.

    >>> len(chalkgrad.hold_out(chalkgrad.digits().train, '0.25').test)
    360
    """

class Network:
    """
    A network with its parameters.

    Network(text, input=(), seed=1) builds it for samples of shape `input` from one line such as '20c5-relu-mp2-40c5-relu-mp2-100n-relu-10n', or from TOML (docs/networks.md), which may give its own input. The seed, a whole number below 2^63, decides the first weights.

    Raises InputError pointing at the character or line, ShapeError naming the layer.

    copy.copy(net) has weights of its own; a Network can be pickled.

    >>> chalkgrad.Network('4c3-relu-mp2-10n', (1, 8, 8))
    <chalkgrad.Network '4c3-relu-mp2-10n': 1×8×8 to 10, 410 parameters>
    """

    def __init__(self, text: str, input: object = (), seed: int = 1) -> None: ...

    @staticmethod
    def load(path: object) -> Network:
        """
        Reads a model that save() or the command line wrote, or an ONNX file (*.onnx).

        Raises FileNotFoundError, or InputError naming the file and what is wrong with it.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     chalkgrad.Network('2n', (3,)).save(folder + '/net.safetensors')
        ...     chalkgrad.Network.load(folder + '/net.safetensors')
        <chalkgrad.Network '2n': 3 to 2, 8 parameters>
        """

    def save(self, path: object) -> None:
        """
        Writes a safetensors file with all that is needed to predict and to go on with training, under a temporary name that is then changed. Raises InputError.

        >>> import os, tempfile
        >>> net = chalkgrad.Network('2n', (3,))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     net.save(folder + '/net.safetensors')
        ...     os.listdir(folder)
        ['net.safetensors']
        """

    def export_onnx(self, path: object, *, opset: int = 17, batch: int = 0, fold: bool = False, bytes: bool = False) -> None:
        """
        Writes its prediction as ONNX (docs/onnx.md), for other engines. opset: 17 … 22. batch: samples in a run; 0: any number. fold: batch normalisation becomes part of the weights before it. bytes: the input takes pixels. Raises InputError.

        >>> import tempfile
        >>> net = chalkgrad.Network('2n', (3,))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     net.export_onnx(folder + '/net.onnx', opset=20)
        ...     chalkgrad.Network.load(folder + '/net.onnx').output_shape()
        (2,)
        """

    @property
    def text(self) -> str:
        """What it was made of."""

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one sample, (channels, rows, columns) of pictures."""

    @property
    def class_names(self) -> list[str]:
        """Those of the data it was trained on; may be empty."""

    def output_shape(self, output: str = 'y') -> tuple[int, ...]:
        """
        The shape of an output of one sample. Raises InputError naming those there are.

        >>> chalkgrad.Network('4c3-mp2-10n', (1, 8, 8)).output_shape()
        (10,)
        """

    @property
    def outputs(self) -> list[str]:
        """The names of its outputs, 'y' first."""

    @property
    def training(self) -> dict[str, Any] | None:
        """
        How it has been trained and how far that has come, as a dict; None if it has not.
        """

    def initialize(self, seed: int) -> None:
        """
        Draws the parameters from the seed; discards what has been learned.

        >>> net = chalkgrad.Network('2n', (3,), seed=7)
        >>> first = net.weights_sha256()
        >>> net.initialize(8)
        >>> net.weights_sha256() == first
        False
        >>> net.initialize(7)
        >>> net.weights_sha256() == first
        True
        """

    def begin_anew(self) -> None:
        """
        Makes it ready for a new run from its present weights: forgets the record of the last one.

        >>> net, data = chalkgrad.Network('10n', (1, 8, 8)), chalkgrad.digits().train
        >>> _ = chalkgrad.train(net, data, epochs=1)
        >>> net.begin_anew()
        >>> _ = chalkgrad.train(net, data, epochs=1, optimizer='adam')
        >>> net.training['options']['optimizer']
        'adam'
        """

    def fit_weights(self, data: Dataset) -> None:
        """
        Gives weights with the init 'whitening' their first values by what the data are: before training, as nothing else does. Raises InputError if such a weight is no kernel of a convolution of the input, or has more filters than two for each number of a patch.

        >>> text = 'layer = [{type = "conv", filters = 8, init = "whitening"}, {chain = "relu-gap-10n"}]'
        >>> net = chalkgrad.Network(text, (1, 8, 8))
        >>> before = net.weights_sha256()
        >>> net.fit_weights(chalkgrad.digits().train)
        >>> net.weights_sha256() == before
        False
        """

    def weights_sha256(self) -> str:
        """
        SHA-256, in hex, over all parameters, as the command line prints it: equal weights have equal ones.

        >>> a, b = chalkgrad.Network('2n', (3,), seed=1), chalkgrad.Network('2n', (3,), seed=1)
        >>> len(a.weights_sha256()), a.weights_sha256() == b.weights_sha256()
        (64, True)
        """

    def keys(self) -> list[str]:
        """
        The names of its parameters and, after training, of the optimizer's state.

        >>> chalkgrad.Network('4c3-mp2-10n', (1, 8, 8)).keys()
        ['conv1.bias', 'conv1.weight', 'dense1.bias', 'dense1.weight']
        """

    def __getitem__(self, name: str) -> numpy.ndarray:
        """
        A copy of a parameter's numbers. Raises KeyError naming those there are.
        """

    def __setitem__(self, name: str, values: object) -> None:
        """
        Gives a parameter new numbers. Raises ShapeError if their shape is another one.
        """

    def __contains__(self, arg: str, /) -> bool: ...

    def layers(self) -> list[tuple[str, tuple[int, ...], int, int]]:
        """
        What it costs: of each layer its name, the shape of its result, its parameters, and the multiply-adds of one sample's prediction.

        >>> for layer in chalkgrad.Network('4c3-10n', (1, 8, 8)).layers():
        ...     print(*layer)
        conv1 (4, 6, 6) 40 1296
        dense1 (10,) 1450 1440
        """

    def to_graph(self) -> Graph:
        """
        A copy of its forward graph, with the batched input 'x' and its outputs; print(net.to_graph()) shows it.

        >>> g = chalkgrad.Network('2n', (3,)).to_graph()
        >>> g.find('x').shape, g.outputs()['y'].shape
        ((3,), (2,))
        """

    def __copy__(self) -> Network: ...

    def __deepcopy__(self, memo: object) -> Network: ...

    def __repr__(self) -> str: ...

class Progress:
    """
    Where a run is between two steps: what callbacks of train() are given.

    >>> net = chalkgrad.Network('10n', (1, 8, 8))
    >>> tell = lambda now: print(now.epoch, now.step, now.steps, now.samples)
    >>> chalkgrad.train(net, chalkgrad.digits().train, epochs=2, on_epoch=tell).stopped
    0 23 46 1438
    1 46 46 1438
    False
    """

    @property
    def epoch(self) -> int:
        """0 … epochs − 1"""

    @property
    def step(self) -> int:
        """steps done, of"""

    @property
    def steps(self) -> int:
        """as many in the whole run"""

    @property
    def samples(self) -> int:
        """samples done in this epoch, of"""

    @property
    def epoch_samples(self) -> int:
        """as many in an epoch"""

    @property
    def loss(self) -> float:
        """of the last step"""

    @property
    def mean_loss(self) -> float:
        """over this epoch so far"""

    @property
    def accuracy(self) -> float:
        """over this epoch so far, 0 … 1, before each update; of classification"""

    @property
    def lr(self) -> float:
        """of the last step"""

    @property
    def gradient_norm(self) -> float:
        """of the last step, before clip_norm limited it; 0 without that"""

    @property
    def validation_loss(self) -> float | None:
        """
        at the end of the last epoch, on the validation data; None without them
        """

    @property
    def validation_accuracy(self) -> float | None:
        """the same, 0 … 1; of classification"""

    @property
    def best_epoch(self) -> int:
        """the epoch that was best on them so far; −1: none"""

    @property
    def seconds(self) -> float:
        """since train() was called"""

    def stop(self) -> None:
        """
        Ends the run after this step. What has been learned stays in the network, and the same call of train() goes on with it.

        >>> net = chalkgrad.Network('10n', (1, 8, 8))
        >>> enough = lambda now: now.stop() if now.step == 5 else None
        >>> result = chalkgrad.train(net, chalkgrad.digits().train, on_step=enough)
        >>> result.stopped, result.last.step
        (True, 5)
        """

    def __repr__(self) -> str: ...

class TrainResult:
    """
    How a run ended; a notebook shows its curves.

    >>> net = chalkgrad.Network('10n', (1, 8, 8))
    >>> result = chalkgrad.train(net, chalkgrad.digits().train, epochs=2)
    >>> [now.epoch for now in result.history]
    [0, 1]
    """

    @property
    def last(self) -> Progress:
        """Where it was."""

    @property
    def history(self) -> list[Progress]:
        """
        Where it was after each epoch of this call of train(): a Progress each.
        """

    @property
    def stopped(self) -> bool:
        """Whether a callback stopped it before its end."""

    @property
    def stopped_early(self) -> bool:
        """Whether patience was at its end."""

    def __repr__(self) -> str: ...

def _train(network: Network, data: Dataset, options: dict[str, Any], validation: Dataset | None, checkpoint: object | None, checkpoint_every: int, threads: int, skip_bad: bool, step_memory: int, on_step: object | None, on_epoch: object | None) -> TrainResult:
    """chalkgrad.train() with its options as a dict."""

class ClassResult:
    """
    How good a network is on one class.

    >>> net, test = chalkgrad.Network('10n', (1, 8, 8)), chalkgrad.digits().test
    >>> chalkgrad.evaluate(net, test).classes[3].samples
    52
    """

    @property
    def name(self) -> str:
        """The class's."""

    @property
    def samples(self) -> int:
        """How many there are of it."""

    @property
    def correct(self) -> int:
        """How many of these were found."""

    @property
    def predicted(self) -> int:
        """How often it was predicted."""

    @property
    def recall(self) -> float | None:
        """correct / samples; None without samples."""

    @property
    def precision(self) -> float | None:
        """correct / predicted; None if it was never predicted."""

    @property
    def f1(self) -> float | None:
        """2·correct / (samples + predicted)."""

class Evaluation:
    """
    How good a network is on some data.

    >>> net, test = chalkgrad.Network('10n', (1, 8, 8)), chalkgrad.digits().test
    >>> found = chalkgrad.evaluate(net, test)
    >>> found.confusion.sum() == found.samples == 359
    True
    """

    @property
    def accuracy(self) -> float:
        """
        The share of samples whose class was predicted, 0 … 1, whatever their weights.
        """

    @property
    def loss(self) -> float:
        """Mean over the samples, by their weights if they have any."""

    @property
    def measured(self) -> str:
        """Which loss that is."""

    @property
    def samples(self) -> int:
        """How many there were."""

    @property
    def classes(self) -> list[ClassResult]:
        """A ClassResult for each class."""

    @property
    def confusion(self) -> numpy.ndarray:
        """
        How many samples of class i were predicted as j: confusion[i, j], int64.
        """

    def top(self, k: int) -> float:
        """
        The share of samples whose class is among the k of the largest outputs.

        >>> net = chalkgrad.Network('10n', (1, 8, 8))
        >>> found = chalkgrad.evaluate(net, chalkgrad.digits().test)
        >>> found.top(1) == found.accuracy, found.top(10)
        (True, 1.0)
        """

    def __repr__(self) -> str: ...

def evaluate(network: Network, data: Dataset, threads: int = 0) -> Evaluation:
    """
    How good a network is on data: an Evaluation.

    Raises ShapeError if the data do not fit the network, InputError for targets that its loss cannot take, NumericError naming a layer whose result is not finite.

    >>> net = chalkgrad.Network('10n', (1, 8, 8))
    >>> chalkgrad.evaluate(net, chalkgrad.digits().test).samples
    359
    """

def outputs_of(network: Network, output: str = 'y') -> str:
    """
    What the numbers are that a network gives: 'classes' (one probability for each, summing to 1), 'probabilities' (each of something of its own) or 'numbers'.

    >>> chalkgrad.outputs_of(chalkgrad.Network('10n', (4,)))
    'classes'
    """

class Predictor:
    """
    Predicts repeatedly: what can be done once is done by Predictor(network), so that a call takes microseconds.

    predictor(x) takes N samples, N×(shape of the network's input), or one of them, and returns float32, N×(shape of the output), or that of one. uint8 are pixels for a network that was trained on such. predictor(x, out=array) writes into an array of the caller's. It sees every change of the network's parameters. Threads of Python may share it: they wait for each other, without Python's lock.

    probabilities: of a classifier, gives what its last softmax gives (or one that is added), rather than what goes into it; other networks give their output as it is. threads: 0 means one per core; a single sample uses one. output: which one of the network's.

    Raises ShapeError for samples of another shape, NumericError naming the first layer with a result that is not finite.

    >>> net = chalkgrad.Network('10n', (1, 8, 8))
    >>> chalkgrad.Predictor(net)(numpy.zeros((3, 1, 8, 8), numpy.float32)).shape
    (3, 10)
    """

    def __init__(self, network: object, *, probabilities: bool = True, threads: int = 0, output: str = 'y') -> None: ...

    def __call__(self, x: object, out: object | None = None) -> numpy.ndarray:
        """The network's answers for samples: see the class."""

class Graph:
    """
    Values of one sample, each made by an operation from values before it.

    A value is batched (one per sample) or shared (one for all samples). Operations are functions of chalkgrad (conv2d, relu, …) and + − * /, also with numbers.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (3,))
    >>> w = g.parameter('w', (2, 3), init='he')
    >>> loss = chalkgrad.batch_mean(chalkgrad.sum(chalkgrad.dense(x, w) * 2))
    >>> (dw,) = chalkgrad.gradients(loss, [w])
    >>> g.output('dw', dw)
    >>> program = chalkgrad.Program(g, chalkgrad.Variables(g, seed=1))
    >>> program.run({'x': [[1, 2, 3], [4, 5, 6]]})['dw'].tolist()
    [[5.0, 7.0, 9.0], [5.0, 7.0, 9.0]]
    """

    def __init__(self) -> None: ...

    def input(self, name: str, shape: object, distribution: bool = False) -> Value:
        """
        A value that each sample has. distribution: its elements are >= 0 and sum to 1, as one-hot labels do. Raises Error for a name that is taken.

        >>> x = chalkgrad.Graph().input('x', (1, 28, 28))
        >>> x.shape, x.batched
        ((1, 28, 28), True)
        """

    def noise(self, name: str, shape: object) -> Value:
        """
        Uniform in [0, 1), drawn anew for each sample and position by the seed of the Program.

        >>> g = chalkgrad.Graph()
        >>> g.output('u', g.noise('u', (3,)))
        >>> u = chalkgrad.Program(g, chalkgrad.Variables(g), seed=5).run(samples=2)['u']
        >>> u.shape, bool((u >= 0).all() and (u < 1).all())
        ((2, 3), True)
        """

    def shared_input(self, name: str, shape: object = ()) -> Value:
        """
        A number that is set for each run, e.g. the learning rate.

        >>> g = chalkgrad.Graph()
        >>> lr = g.shared_input('lr')
        >>> g.output('half', lr / 2)
        >>> float(chalkgrad.Program(g, chalkgrad.Variables(g)).run({'lr': 0.5}, samples=1)['half'])
        0.25
        """

    def parameter(self, name: str, shape: object, *, init: object = 0.0, trainable: bool = True) -> Value:
        """
        A value that is kept from run to run. init: a number, or how it is drawn: 'he', 'glorot', 'normal:0.1', … (docs/reference), where the first axis counts outputs, the second inputs, and others places.

        >>> g = chalkgrad.Graph()
        >>> w = g.parameter('w', (20, 1, 5, 5), init='he')
        >>> w.shape, w.batched
        ((20, 1, 5, 5), False)
        """

    def constant(self, value: float, shape: object = ()) -> Value:
        """
        The same number everywhere; shared.

        >>> chalkgrad.Graph().constant(0.5, (2, 3)).shape
        (2, 3)
        """

    def batch_size(self) -> Value:
        """
        The number of samples in the batch; a shared scalar.

        >>> g = chalkgrad.Graph()
        >>> g.output('n', g.batch_size())
        >>> float(chalkgrad.Program(g, chalkgrad.Variables(g)).run(samples=7)['n'])
        7.0
        """

    def name(self, value: Value, name: str) -> None:
        """
        Names a value; the name must be new.

        >>> g = chalkgrad.Graph()
        >>> y = chalkgrad.relu(g.input('x', (3,)))
        >>> g.name(y, 'activation')
        >>> y.name
        'activation'
        """

    def layer(self, name: str) -> None:
        """
        All values made from now on belong to this layer, which messages name.

        >>> g = chalkgrad.Graph()
        >>> x = g.input('x', (3,))
        >>> g.layer('gate1')
        >>> y = chalkgrad.sigmoid(x)
        >>> 'gate1' in str(g)
        True
        """

    def find(self, name: str) -> Value:
        """
        The value of that name, or None.

        >>> g = chalkgrad.Graph()
        >>> x = g.input('x', (3,))
        >>> g.find('x') == x, g.find('z') is None
        (True, True)
        """

    def parameters(self) -> list[Value]:
        """
        Its trainable parameters, in the order they were made.

        >>> [p.name for p in chalkgrad.Network('2n', (3,)).to_graph().parameters()]
        ['dense1.weight', 'dense1.bias']
        """

    def output(self, name: str, value: Value) -> None:
        """
        What a run returns, by name.

        >>> g = chalkgrad.Graph()
        >>> g.output('y', g.input('x', (2,)) * 3)
        >>> chalkgrad.Program(g, chalkgrad.Variables(g)).run({'x': [[1, 2]]})['y'].tolist()
        [[3.0, 6.0]]
        """

    def update(self, parameter: Value, next: Value) -> None:
        """
        After each run the parameter takes this shared value. Raises ShapeError for one of another shape.

        >>> g = chalkgrad.Graph()
        >>> runs = g.parameter('runs', ())
        >>> g.update(runs, runs + 1)
        >>> variables = chalkgrad.Variables(g)
        >>> program = chalkgrad.Program(g, variables)
        >>> _ = program.run(samples=1), program.run(samples=1)
        >>> float(variables['runs'])
        2.0
        """

    def outputs(self) -> dict[str, Value]:
        """
        Its outputs by name, in the order they were made.

        >>> list(chalkgrad.Network('2n', (3,)).to_graph().outputs())
        ['y']
        """

    def inputs(self) -> list[Value]:
        """
        Its batched inputs, noise aside, in the order they were made.

        >>> [x.name for x in chalkgrad.Network('2n', (3,)).to_graph().inputs()]
        ['x']
        """

    def clear_outputs(self) -> None:
        """
        Forgets which values are outputs.

        >>> g = chalkgrad.Network('2n', (3,)).to_graph()
        >>> g.clear_outputs()
        >>> g.outputs()
        {}
        """

    def __copy__(self) -> Graph:
        """A graph of its own, with values of its own."""

    def __len__(self) -> int: ...

    def __str__(self) -> str: ...

    def __repr__(self) -> str: ...

class Value:
    """
    A value of a Graph, which it keeps alive. + − * / make more of it, also with numbers.

    >>> x = chalkgrad.Graph().input('x', (3,))
    >>> y = 1 - 2 * chalkgrad.tanh(x)
    >>> y.shape, y.batched
    ((3,), True)
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one sample."""

    @property
    def batched(self) -> bool:
        """One per sample, or one for all."""

    @property
    def name(self) -> str:
        """May be empty."""

    @property
    def graph(self) -> object:
        """Whose value it is."""

    def __eq__(self, other: object | None) -> bool: ...

    def __hash__(self) -> int: ...

    def __neg__(self) -> Value: ...

    def __repr__(self) -> str: ...

    @overload
    def __add__(self, arg: Value, /) -> Value: ...

    @overload
    def __add__(self, arg: float, /) -> Value: ...

    def __radd__(self, arg: float, /) -> Value: ...

    @overload
    def __sub__(self, arg: Value, /) -> Value: ...

    @overload
    def __sub__(self, arg: float, /) -> Value: ...

    def __rsub__(self, arg: float, /) -> Value: ...

    @overload
    def __mul__(self, arg: Value, /) -> Value: ...

    @overload
    def __mul__(self, arg: float, /) -> Value: ...

    def __rmul__(self, arg: float, /) -> Value: ...

    @overload
    def __truediv__(self, arg: Value, /) -> Value: ...

    @overload
    def __truediv__(self, arg: float, /) -> Value: ...

    def __rtruediv__(self, arg: float, /) -> Value: ...

def gradients(loss: Value, wrt: Sequence[Value]) -> list[Value]:
    """
    The gradients of a shared scalar with respect to values, as more graph: a list, zeros where it does not depend on one. Raises ShapeError for a loss that is no shared scalar.

    >>> g = chalkgrad.Graph()
    >>> w = g.parameter('w', (2,), init=3)
    >>> (dw,) = chalkgrad.gradients(chalkgrad.sum(w * w), [w])
    >>> dw.shape
    (2,)
    """

def differentiate(y: Value, dy: Value, wrt: Sequence[Value]) -> list[Value]:
    """
    The vector-Jacobian products dyᵀ · ∂y/∂wrt, as more graph: a list, None where y does not depend on one.

    >>> g = chalkgrad.Graph()
    >>> x, dy = g.input('x', (2,)), g.input('dy', (2,))
    >>> chalkgrad.differentiate(chalkgrad.tanh(x), dy, [x])[0].shape
    (2,)
    """

class Variables:
    """
    The parameters of a graph by name; several programs may share them.

    Variables(graph, seed=1) draws them from the seed, each by its own name; Variables(network) copies them.

    >>> g = chalkgrad.Graph()
    >>> w = g.parameter('w', (2,), init=3)
    >>> chalkgrad.Variables(g)['w'].tolist()
    [3.0, 3.0]
    """

    @overload
    def __init__(self, graph: Graph, seed: int = 1) -> None: ...

    @overload
    def __init__(self, network: Network) -> None: ...

    def keys(self) -> list[str]:
        """
        Their names.

        >>> chalkgrad.Variables(chalkgrad.Network('2n', (3,))).keys()
        ['dense1.bias', 'dense1.weight']
        """

    def __getitem__(self, name: str) -> numpy.ndarray:
        """
        A copy of a parameter's numbers. Raises InputError for an unknown name.
        """

    def __setitem__(self, name: str, values: object) -> None:
        """Gives a parameter new numbers of its shape."""

class Program:
    """
    An executable form of a graph's outputs and updates: planned once, run with any number of samples.

    Program(graph, variables, threads=0, seed=0, guard='', disabled_passes=()): threads 0 means one per core, and never changes a bit of the results; the seed is that of noise; guard names a shared scalar output (the loss) that must be finite, or run() raises NumericError before any parameter is updated. The graph is copied.

    Raises InputError if a parameter is missing from the variables.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (2,))
    >>> g.output('y', chalkgrad.relu(x - 1))
    >>> program = chalkgrad.Program(g, chalkgrad.Variables(g))
    >>> program.run({'x': [[0, 1], [2, 3]]})['y'].tolist()
    [[0.0, 0.0], [1.0, 2.0]]
    """

    def __init__(self, graph: Graph, variables: object, *, threads: int = 0, seed: int = 0, guard: str = '', disabled_passes: Set[str] = ...) -> None: ...

    def run(self, feeds: dict[str, Any] = {}, *, samples: object | None = None, rows: object | None = None, out: object | None = None) -> dict[str, numpy.ndarray]:
        """
        Runs on samples, then applies the updates; returns the outputs by name, float32, N×… if they are batched.

        feeds: for each batched input an array, N×(its shape), where whole numbers, N of them, for an input with one axis are labels; for each shared input a number. rows: which samples, by number; without, all. samples: how many, from the first; needed if nothing batched is fed. out: for outputs that are to be written into arrays of the caller's, those: float32 in C order, of the right shape. Python's lock is released meanwhile.

        Raises ShapeError and InputError naming the input, NumericError if the guarded value is not finite.

        >>> g = chalkgrad.Graph()
        >>> g.output('y', g.input('x', (2,)) * g.shared_input('scale'))
        >>> program = chalkgrad.Program(g, chalkgrad.Variables(g))
        >>> y = numpy.empty((1, 2), numpy.float32)
        >>> _ = program.run({'x': [[1, 2], [3, 4]], 'scale': 10}, rows=[1], out={'y': y})
        >>> y.tolist()
        [[30.0, 40.0]]
        """

    def set_position(self, position: int) -> None:
        """
        Tells the following runs where they are, e.g. the step: what noise is drawn depends on it.

        >>> g = chalkgrad.Graph()
        >>> g.output('u', g.noise('u', (3,)))
        >>> program = chalkgrad.Program(g, chalkgrad.Variables(g), seed=5)
        >>> program.set_position(4)
        >>> first = program.run(samples=1)['u']
        >>> program.set_position(5)
        >>> bool((program.run(samples=1)['u'] == first).all())
        False
        >>> program.set_position(4)
        >>> bool((program.run(samples=1)['u'] == first).all())
        True
        """

    @property
    def threads(self) -> int:
        """On how many it runs."""

    @property
    def memory(self) -> int:
        """What it uses, in bytes."""

    def plan(self) -> str:
        """
        The plan as text: phase by phase, a line for each kernel.

        >>> g = chalkgrad.Network('2n', (3,)).to_graph()
        >>> 'dense' in chalkgrad.Program(g, chalkgrad.Variables(g)).plan()
        True
        """

@overload
def add(a: Value, b: Value) -> Value:
    """
    a + b. Shapes broadcast as in NumPy; either may be a number.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> a, b = g.input('a', (2, 3)), g.input('b', (3,))
    >>> chalkgrad.add(a, b).shape
    (2, 3)
    """

@overload
def add(a: Value, b: float) -> Value: ...

@overload
def add(a: float, b: Value) -> Value: ...

@overload
def sub(a: Value, b: Value) -> Value:
    """
    a − b. Shapes broadcast as in NumPy; either may be a number.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> a, b = g.input('a', (2, 3)), g.input('b', (3,))
    >>> chalkgrad.sub(a, b).shape
    (2, 3)
    """

@overload
def sub(a: Value, b: float) -> Value: ...

@overload
def sub(a: float, b: Value) -> Value: ...

@overload
def mul(a: Value, b: Value) -> Value:
    """
    a · b, element by element. Shapes broadcast as in NumPy; either may be a number.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> a, b = g.input('a', (2, 3)), g.input('b', (3,))
    >>> chalkgrad.mul(a, b).shape
    (2, 3)
    """

@overload
def mul(a: Value, b: float) -> Value: ...

@overload
def mul(a: float, b: Value) -> Value: ...

@overload
def div(a: Value, b: Value) -> Value:
    """
    a / b. Shapes broadcast as in NumPy; either may be a number.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> a, b = g.input('a', (2, 3)), g.input('b', (3,))
    >>> chalkgrad.div(a, b).shape
    (2, 3)
    """

@overload
def div(a: Value, b: float) -> Value: ...

@overload
def div(a: float, b: Value) -> Value: ...

@overload
def greater(a: Value, b: Value) -> Value:
    """
    1 where a > b, else 0; derivative 0. Shapes broadcast as in NumPy; either may be a number.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> a, b = g.input('a', (2, 3)), g.input('b', (3,))
    >>> chalkgrad.greater(a, b).shape
    (2, 3)
    """

@overload
def greater(a: Value, b: float) -> Value: ...

@overload
def greater(a: float, b: Value) -> Value: ...

@overload
def equal(a: Value, b: Value) -> Value:
    """
    1 where a = b, else 0; derivative 0. Shapes broadcast as in NumPy; either may be a number.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> a, b = g.input('a', (2, 3)), g.input('b', (3,))
    >>> chalkgrad.equal(a, b).shape
    (2, 3)
    """

@overload
def equal(a: Value, b: float) -> Value: ...

@overload
def equal(a: float, b: Value) -> Value: ...

@overload
def maximum(a: Value, b: Value) -> Value:
    """
    The larger of both; the derivative goes by halves to equal ones. Shapes broadcast as in NumPy; either may be a number.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> a, b = g.input('a', (2, 3)), g.input('b', (3,))
    >>> chalkgrad.maximum(a, b).shape
    (2, 3)
    """

@overload
def maximum(a: Value, b: float) -> Value: ...

@overload
def maximum(a: float, b: Value) -> Value: ...

@overload
def minimum(a: Value, b: Value) -> Value:
    """
    The smaller of both; the derivative goes by halves to equal ones. Shapes broadcast as in NumPy; either may be a number.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> a, b = g.input('a', (2, 3)), g.input('b', (3,))
    >>> chalkgrad.minimum(a, b).shape
    (2, 3)
    """

@overload
def minimum(a: Value, b: float) -> Value: ...

@overload
def minimum(a: float, b: Value) -> Value: ...

def select(condition: Value, yes: Value, no: Value) -> Value:
    """
    yes where condition ≠ 0, else no; shapes broadcast.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (3,))
    >>> chalkgrad.select(chalkgrad.greater(x, 0), x, -x).shape
    (3,)
    """

def neg(x: Value) -> Value:
    """
    −x.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (2, 3))
    >>> chalkgrad.neg(x).shape
    (2, 3)
    """

def relu(x: Value) -> Value:
    """
    max(0, x); derivative 0 at 0.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (2, 3))
    >>> chalkgrad.relu(x).shape
    (2, 3)
    """

def abs(x: Value) -> Value:
    """
    |x|; derivative 0 at 0.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (2, 3))
    >>> chalkgrad.abs(x).shape
    (2, 3)
    """

def sigmoid(x: Value) -> Value:
    """
    1 / (1 + e^−x).

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (2, 3))
    >>> chalkgrad.sigmoid(x).shape
    (2, 3)
    """

def softplus(x: Value) -> Value:
    """
    ln(1 + e^x), without overflow.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (2, 3))
    >>> chalkgrad.softplus(x).shape
    (2, 3)
    """

def tanh(x: Value) -> Value:
    """
    The hyperbolic tangent.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (2, 3))
    >>> chalkgrad.tanh(x).shape
    (2, 3)
    """

def erf(x: Value) -> Value:
    """
    2/√π ∫ e^−t² dt from 0 to x.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (2, 3))
    >>> chalkgrad.erf(x).shape
    (2, 3)
    """

def exp(x: Value) -> Value:
    """
    e^x.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (2, 3))
    >>> chalkgrad.exp(x).shape
    (2, 3)
    """

def expm1(x: Value) -> Value:
    """
    e^x − 1, precise for small x too.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (2, 3))
    >>> chalkgrad.expm1(x).shape
    (2, 3)
    """

def log(x: Value) -> Value:
    """
    The natural logarithm; −inf at 0, NaN below.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (2, 3))
    >>> chalkgrad.log(x).shape
    (2, 3)
    """

def sqrt(x: Value) -> Value:
    """
    The square root; NaN below 0.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (2, 3))
    >>> chalkgrad.sqrt(x).shape
    (2, 3)
    """

def conv2d(x: Value, w: Value, *, stride: object = 1, padding: object = 0, dilation: object = 1, groups: int = 1) -> Value:
    """
    The convolution (cross-correlation) of x (channels, rows, columns) with w (filters, channels/groups, kernel rows, kernel columns). stride, padding, dilation: a number, or (vertical, horizontal), in pixels.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x, w = g.input('x', (3, 8, 8)), g.parameter('w', (5, 3, 3, 3))
    >>> chalkgrad.conv2d(x, w, padding=1).shape
    (5, 8, 8)
    """

def conv2d_input_grad(dy: Value, w: Value, x: object, *, stride: object = 1, padding: object = 0, dilation: object = 1, groups: int = 1) -> Value:
    """
    conv2d's derivative with respect to x, of shape `x`, applied to dy: the transposed convolution.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> dy, w = g.input('dy', (5, 6, 6)), g.parameter('w', (5, 3, 3, 3))
    >>> chalkgrad.conv2d_input_grad(dy, w, (3, 8, 8)).shape
    (3, 8, 8)
    """

def conv2d_weight_grad(x: Value, dy: Value, w: object, *, stride: object = 1, padding: object = 0, dilation: object = 1, groups: int = 1) -> Value:
    """
    conv2d's derivative with respect to w, of shape `w`, applied to dy; one result per sample.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x, dy = g.input('x', (3, 8, 8)), g.input('dy', (5, 6, 6))
    >>> chalkgrad.conv2d_weight_grad(x, dy, (5, 3, 3, 3)).shape
    (5, 3, 3, 3)
    """

def matmul(a: Value, b: Value, transpose_a: bool = False, transpose_b: bool = False) -> Value:
    """
    a (m, k) times b (k, n), either one transposed first.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> a, b = g.input('a', (2, 3)), g.input('b', (4, 3))
    >>> chalkgrad.matmul(a, b, transpose_b=True).shape
    (2, 4)
    """

def dense(x: Value, w: Value, transposed: bool = False) -> Value:
    """
    W·x for x (inputs), W (outputs, inputs); transposed: Wᵀ·x for x (outputs).

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x, w = g.input('x', (3,)), g.parameter('w', (2, 3))
    >>> chalkgrad.dense(x, w).shape
    (2,)
    """

def outer(a: Value, b: Value) -> Value:
    """
    y[i, j] = a[i] · b[j] for vectors.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> a, b = g.input('a', (2,)), g.input('b', (3,))
    >>> chalkgrad.outer(a, b).shape
    (2, 3)
    """

def max_pool(x: Value, window: object = 2, *, stride: object | None = None, padding: object = 0) -> Value:
    """
    The maximum of each window of x (channels, rows, columns). window, stride, padding: a number, or (vertical, horizontal), in pixels; stride: the window's size, if none is given.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (3, 8, 8))
    >>> chalkgrad.max_pool(x, 3, stride=1, padding=1).shape
    (3, 8, 8)
    """

def average_pool(x: Value, window: object = 2, *, stride: object | None = None, padding: object = 0) -> Value:
    """
    The mean of each window, in which padding counts as zeros.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (3, 8, 8))
    >>> chalkgrad.average_pool(x).shape
    (3, 4, 4)
    """

def average_pool_grad(dy: Value, x: object, window: object = 2, *, stride: object | None = None, padding: object = 0) -> Value:
    """
    average_pool's transpose: spreads dy evenly over the windows, to shape `x`.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> dy = g.input('dy', (3, 4, 4))
    >>> chalkgrad.average_pool_grad(dy, (3, 8, 8)).shape
    (3, 8, 8)
    """

def pool_argmax(x: Value, window: object = 2, *, stride: object | None = None, padding: object = 0) -> Value:
    """
    Which place of each window, row-major, holds its first maximum; derivative 0.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (3, 8, 8))
    >>> chalkgrad.pool_argmax(x).shape
    (3, 4, 4)
    """

def pool_gather(x: Value, index: Value, window: object = 2, *, stride: object | None = None, padding: object = 0) -> Value:
    """
    x at the places that pool_argmax says.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (3, 8, 8)); index = chalkgrad.pool_argmax(x)
    >>> chalkgrad.pool_gather(x, index).shape
    (3, 4, 4)
    """

def pool_scatter(y: Value, index: Value, x: object, window: object = 2, *, stride: object | None = None, padding: object = 0) -> Value:
    """
    pool_gather's transpose: zeros of shape `x` with y added at those places.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (3, 8, 8)); index = chalkgrad.pool_argmax(x)
    >>> chalkgrad.pool_scatter(index, index, (3, 8, 8)).shape
    (3, 8, 8)
    """

def global_average_pool(x: Value) -> Value:
    """
    The mean of each channel: a vector.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (3, 8, 8))
    >>> chalkgrad.global_average_pool(x).shape
    (3,)
    """

def global_max_pool(x: Value) -> Value:
    """
    The maximum of each channel: a vector.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (3, 8, 8))
    >>> chalkgrad.global_max_pool(x).shape
    (3,)
    """

def softmax(x: Value, axis: int = 0) -> Value:
    """
    e^x / Σ e^x along the axis.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (10,))
    >>> chalkgrad.softmax(x).shape
    (10,)
    """

def log_softmax(x: Value, axis: int = 0) -> Value:
    """
    x − ln Σ e^x along the axis, without overflow.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (10,))
    >>> chalkgrad.log_softmax(x).shape
    (10,)
    """

def sum(x: Value, axes: object | None = None, keep: bool = False) -> Value:
    """
    The sum over axes, or over all. Axes, a number or several, vanish, or stay with extent 1 if `keep`.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (4, 5, 6))
    >>> chalkgrad.sum(x, axes=(1, 2)).shape
    (4,)
    """

def mean(x: Value, axes: object | None = None, keep: bool = False) -> Value:
    """
    The mean over axes, or over all. Axes, a number or several, vanish, or stay with extent 1 if `keep`.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (4, 5, 6))
    >>> chalkgrad.mean(x, axes=(1, 2)).shape
    (4,)
    """

def max(x: Value, axes: object | None = None, keep: bool = False) -> Value:
    """
    The maximum over axes, or over all; the derivative goes to the first of equal ones. Axes, a number or several, vanish, or stay with extent 1 if `keep`.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (4, 5, 6))
    >>> chalkgrad.max(x, axes=(1, 2)).shape
    (4,)
    """

def amax(x: Value, axes: object | None = None, keep: bool = False) -> Value:
    """
    The same maximum, whose derivative equal ones share. Axes, a number or several, vanish, or stay with extent 1 if `keep`.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (4, 5, 6))
    >>> chalkgrad.amax(x, axes=(1, 2)).shape
    (4,)
    """

def norm(x: Value, axes: object | None = None, keep: bool = False) -> Value:
    """
    √Σ x² over axes, or over all; derivative 0 at 0. Axes, a number or several, vanish, or stay with extent 1 if `keep`.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (4, 5, 6))
    >>> chalkgrad.norm(x, axes=(1, 2)).shape
    (4,)
    """

def first_max(x: Value, axes: object | None = None) -> Value:
    """
    1 at the first maximum of each group, 0 elsewhere; derivative 0.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (10,))
    >>> chalkgrad.first_max(x).shape
    (10,)
    """

def broadcast(x: Value, shape: object) -> Value:
    """
    NumPy's broadcast_to.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (2, 3))
    >>> chalkgrad.broadcast(x, (4, 2, 3)).shape
    (4, 2, 3)
    """

def reshape(x: Value, shape: object) -> Value:
    """
    The same elements, in row-major order, in another shape.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (2, 3))
    >>> chalkgrad.reshape(x, (6,)).shape
    (6,)
    """

def transpose(x: Value, permutation: object | None = None) -> Value:
    """
    Axis i of the result is axis permutation[i] of x; without, the other way round.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (2, 3))
    >>> chalkgrad.transpose(x).shape
    (3, 2)
    """

def reverse(x: Value, axes: object | None = None) -> Value:
    """
    x the other way round along axes, or all.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (2, 3))
    >>> chalkgrad.reverse(x, 1).shape
    (2, 3)
    """

def pad(x: Value, before: object, after: object) -> Value:
    """
    x with so many zeros before and after it, per axis.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (2, 3))
    >>> chalkgrad.pad(x, (0, 1), (0, 2)).shape
    (2, 6)
    """

def slice(x: Value, start: object, stop: object) -> Value:
    """
    x from start to below stop, per axis.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (2, 3))
    >>> chalkgrad.slice(x, (0, 1), (2, 3)).shape
    (2, 2)
    """

def concat(xs: Sequence[Value], axis: int = 0) -> Value:
    """
    Values one after the other along an axis.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (2, 3))
    >>> chalkgrad.concat([x, x]).shape
    (4, 3)
    """

def batch_sum(x: Value) -> Value:
    """
    Σ over the samples of the batch: batched to shared.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (10,))
    >>> chalkgrad.batch_sum(x).shape
    (10,)
    """

def batch_broadcast(x: Value) -> Value:
    """
    The same shared value for each sample: shared to batched.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.parameter('x', (10,))
    >>> chalkgrad.batch_broadcast(x).shape
    (10,)
    """

def batch_mean(x: Value) -> Value:
    """
    The mean over the samples of the batch: batched to shared.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (10,))
    >>> chalkgrad.batch_mean(x).shape
    (10,)
    """

def leaky_relu(x: Value, slope: float = 0.01) -> Value:
    """
    max(x, slope·x).

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (2, 3))
    >>> chalkgrad.leaky_relu(x, 0.2).shape
    (2, 3)
    """

def elu(x: Value, alpha: float = 1.0) -> Value:
    """
    x where x > 0, else α (e^x − 1).

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (2, 3))
    >>> chalkgrad.elu(x, 0.2).shape
    (2, 3)
    """

def celu(x: Value, alpha: float = 1.0) -> Value:
    """
    x where x > 0, else α (e^(x/α) − 1).

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (2, 3))
    >>> chalkgrad.celu(x, 0.2).shape
    (2, 3)
    """

def relu6(x: Value) -> Value:
    """
    min(max(0, x), 6).

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (2, 3))
    >>> chalkgrad.relu6(x).shape
    (2, 3)
    """

def hard_tanh(x: Value) -> Value:
    """
    min(max(−1, x), 1).

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (2, 3))
    >>> chalkgrad.hard_tanh(x).shape
    (2, 3)
    """

def hard_sigmoid(x: Value) -> Value:
    """
    relu6(x + 3) / 6.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (2, 3))
    >>> chalkgrad.hard_sigmoid(x).shape
    (2, 3)
    """

def hard_swish(x: Value) -> Value:
    """
    x · hard_sigmoid(x).

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (2, 3))
    >>> chalkgrad.hard_swish(x).shape
    (2, 3)
    """

def selu(x: Value) -> Value:
    """
    λ · elu(x, α), λ = 1.0507…, α = 1.6733….

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (2, 3))
    >>> chalkgrad.selu(x).shape
    (2, 3)
    """

def gelu(x: Value) -> Value:
    """
    x · ½ (1 + erf(x/√2)).

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (2, 3))
    >>> chalkgrad.gelu(x).shape
    (2, 3)
    """

def gelu_tanh(x: Value) -> Value:
    """
    ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))).

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (2, 3))
    >>> chalkgrad.gelu_tanh(x).shape
    (2, 3)
    """

def silu(x: Value) -> Value:
    """
    x · σ(x), or swish.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (2, 3))
    >>> chalkgrad.silu(x).shape
    (2, 3)
    """

def mish(x: Value) -> Value:
    """
    x · tanh(softplus(x)).

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (2, 3))
    >>> chalkgrad.mish(x).shape
    (2, 3)
    """

def log_sigmoid(x: Value) -> Value:
    """
    ln σ(x), without overflow.

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (2, 3))
    >>> chalkgrad.log_sigmoid(x).shape
    (2, 3)
    """

def softsign(x: Value) -> Value:
    """
    x / (1 + |x|).

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (2, 3))
    >>> chalkgrad.softsign(x).shape
    (2, 3)
    """

def scaled_tanh(x: Value) -> Value:
    """
    1.7159 tanh(2x/3).

    Raises ShapeError, with the shapes, for operands that do not fit.

    >>> g = chalkgrad.Graph()
    >>> x = g.input('x', (2, 3))
    >>> chalkgrad.scaled_tanh(x).shape
    (2, 3)
    """

def loss_of(loss: str, y: Value, target: Value) -> Value:
    """
    The mean over the batch of a loss by its name (losses()), with its usual options: a shared scalar. y is the network's output, of a classifier what goes into its softmax; the target has its shape.

    Raises InputError for a name that there is not, ShapeError for a target that does not fit.

    >>> g = chalkgrad.Graph()
    >>> y, t = g.input('y', (3,)), g.input('t', (3,), distribution=True)
    >>> chalkgrad.loss_of('cross-entropy', y, t).shape
    ()
    """

class Derivation:
    """
    The derivation of a network's gradients, each equation of which was verified.

    >>> derivation = chalkgrad.derive(chalkgrad.Network('2n-sigmoid', (3,)), 'squared-error')
    >>> bool(chalkgrad.check(derivation.check()))
    True
    """

    @property
    def title(self) -> str:
        """What it is of."""

    @property
    def equations(self) -> int:
        """How many were verified."""

    def text(self) -> str:
        """
        For a terminal: equations with their rules.

        >>> derivation = chalkgrad.derive(chalkgrad.Network('2n-sigmoid', (3,)), 'squared-error')
        >>> 'dense1' in derivation.text()
        True
        """

    def latex(self) -> str:
        """
        A document that pdflatex compiles as it is.

        >>> derivation = chalkgrad.derive(chalkgrad.Network('2n-sigmoid', (3,)), 'squared-error')
        >>> derivation.latex().startswith('\\\\documentclass')
        True
        """

    def html(self) -> str:
        """
        A page in one file: MathML, without script.

        >>> derivation = chalkgrad.derive(chalkgrad.Network('2n-sigmoid', (3,)), 'squared-error')
        >>> '<math' in derivation.html(), '<script' in derivation.html()
        (True, False)
        """

    def check(self) -> str:
        """
        In the language of check(), which verifies all of it.

        >>> derivation = chalkgrad.derive(chalkgrad.Network('2n-sigmoid', (3,)), 'squared-error')
        >>> chalkgrad.check(derivation.check()).failed
        0
        """

    def json(self) -> str:
        """
        Sections, chains and steps as data.

        >>> import json
        >>> derivation = chalkgrad.derive(chalkgrad.Network('2n-sigmoid', (3,)), 'squared-error')
        >>> json.loads(derivation.json())['equations'] == derivation.equations
        True
        """

    def __str__(self) -> str: ...

    def __repr__(self) -> str: ...

def derive(network: Network, loss: str = '', *, optimizer: str = '', brief: bool = False, notation: str = 'chalkgrad', seed: int = 1, trials: int = 1) -> Derivation:
    """
    Derives the gradients of the loss by all parameters and by the input: a Derivation, which a notebook shows.

    loss: its name; without, the one it was trained with, or cross-entropy of a vector. optimizer: whose update is written, too. brief: of each chain the first and the last formula. notation: whose letters, 'chalkgrad', 'nielsen', 'bishop', ….

    Raises ShapeError or InputError if the loss does not fit, Error naming an equation that is not true of the network: then nothing is derived.

    >>> net = chalkgrad.Network('2n-sigmoid', (3,))
    >>> 'dense1' in chalkgrad.derive(net, 'squared-error').text()
    True
    """

class CheckedLine:
    """
    One line of a derivation, judged.

    >>> report = chalkgrad.check('network x: 2 > y = relu\\ny[i] = max(0, x[i])')
    >>> report.lines[-1].line, report.lines[-1].verdict
    (2, 'verified')
    """

    @property
    def line(self) -> int:
        """Its number in the text, from 1."""

    @property
    def column(self) -> int:
        """Where an error points to, in characters from 1; 0: nowhere."""

    @property
    def label(self) -> str:
        """Its number, '10'; may be empty."""

    @property
    def verdict(self) -> str:
        """
        'verified', 'definition', 'erratum', 'except' (at a kink, by convention only) or 'failed'.
        """

    @property
    def text(self) -> str:
        """The formula."""

    @property
    def latex(self) -> str:
        """And in LaTeX."""

    @property
    def mathml(self) -> str:
        """And in MathML, for a <math> element."""

    @property
    def message(self) -> str:
        """Why it is false, and what to do; or a remark."""

    @property
    def offer(self) -> str:
        """The single edit that makes it true, if one is found."""

    @property
    def residual(self) -> float:
        """
        The largest difference of its sides, by the largest number that came up.
        """

class CheckReport:
    """
    A derivation, judged line by line: true if no line is false. A notebook shows it, with what is wrong marked in its place.

    >>> report = chalkgrad.check('network x: 2 > y = sigmoid\\ndy[i]/dx[j] = delta(i,j)*y[i]')
    >>> bool(report), report.failed
    (False, 1)
    """

    @property
    def source(self) -> str:
        """The text that was judged."""

    @property
    def lines(self) -> list[CheckedLine]:
        """A CheckedLine each."""

    @property
    def verified(self) -> int:
        """How many are."""

    @property
    def failed(self) -> int:
        """How many are false."""

    @property
    def definitions(self) -> int:
        """How many name something."""

    @property
    def errata(self) -> int:
        """How many are declared false as printed, and are."""

    @property
    def excepted(self) -> int:
        """How many are true but at kinks."""

    def __bool__(self) -> bool: ...

def check(text: str, origin: str = 'derivation', *, latex: bool = False, seed: int = 1, trials: int = 3, offer: bool = True) -> CheckReport:
    """
    Judges each line of a derivation, in the language of docs/check.md or, if `latex`, as a document in LaTeX: a CheckReport, which is true if no line is false, and which a notebook shows.

    offer: looks for the single edit that makes a false line true.

    Raises InputError, with line and column, if a network or a definition cannot be read.

    >>> text = 'network x: 3 > y = dense(W: 2 outputs, bias b)\\ny[i] = sum(j, W[i,j]*x[j]) + b[i]'
    >>> chalkgrad.check(text).verified
    1
    """

__version__: str
