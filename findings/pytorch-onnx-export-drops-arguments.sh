#!/usr/bin/env bash
# One would guess: torch.onnx.export raises where ONNX has no operator for what a model asks, and what it writes computes what
#   the model computes.
# What happens: arguments that the operator of ONNX lacks are left out, and the export succeeds: cross_entropy loses its
#   label_smoothing (0.6002 becomes 0.0002), avg_pool2d and avg_pool3d lose their divisor_override (4 becomes 1), and
#   scatter_reduce(reduce="mean") becomes a ScatterElements without a reduction, which keeps the last of the values (the
#   mean of 1, 2 and 6 becomes 6). Not a word is said about it. The older exporter, dynamo=False, refuses the first and the
#   last: "ONNX does not support label_smoothing", and "mean reduction".
# Versions: PyTorch 2.15.0 with onnxscript 0.7.2, onnx 1.23.2 and onnxruntime 1.32.0, on a CPU.
# Who is hurt: whoever exports losses for training elsewhere, pools that sum (divisor_override=1), or graph networks that take
#   means of neighbours, and has no test of numbers. While dynamo=False was the default, two of the four were refused.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

if ! python3 -m venv "$folder/venv" ||
   ! TMPDIR=$folder "$folder/venv/bin/pip" install --quiet --no-cache-dir "torch==2.15.0" "numpy==2.4.6" "onnx==1.23.2" "onnxscript==0.7.2" "onnxruntime==1.32.0"; then
  echo "cannot run: needs Python with venv, PyPI's packages, and 6 GB for them"
  exit 77
fi
cat > "$folder/arguments.py" <<'END_OF_PYTHON'
import contextlib
import io
import sys
import warnings
import numpy as np
import onnxruntime
import torch
from torch.nn import functional as F


class Calls(torch.nn.Module):
    def __init__(self, what):
        super().__init__()
        self.what = what

    def forward(self, *inputs):
        return self.what(*inputs)


cases = {  # the argument: what uses it, its inputs, what PyTorch says, what ONNX Runtime says, whether dynamo=False refuses
    "label_smoothing": (lambda x, t: F.cross_entropy(x, t, label_smoothing=0.1),
                        (torch.tensor([[9.0, 0.0, 0.0]]), torch.tensor([0])), [0.6002], [0.0002], True),
    "divisor_override": (lambda x: F.avg_pool2d(x, 2, divisor_override=1), (torch.ones(1, 1, 2, 2),), [4], [1], False),
    "divisor_override ": (lambda x: F.avg_pool3d(x, 2, divisor_override=1), (torch.ones(1, 1, 2, 2, 2),), [8], [1], False),
    "mean": (lambda x, i, s: x.scatter_reduce(0, i, s, reduce="mean", include_self=False),
             (torch.zeros(2), torch.tensor([0, 0, 0, 1]), torch.tensor([1.0, 2.0, 6.0, 5.0])), [3, 5], [6, 5], True),
}
as_described = True
for argument, (what, inputs, true, wrong, refused) in cases.items():
    module, file, said = Calls(what), f"{sys.argv[1]}/model.onnx", io.StringIO()
    expected = module(*inputs).reshape(-1).numpy()
    with warnings.catch_warnings(record=True) as warned, contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        warnings.simplefilter("always")
        torch.onnx.export(module, inputs, file, dynamo=True)
    words = said.getvalue() + "".join(str(warning.message) for warning in warned)
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    feeds = {port.name: value.numpy() for port, value in zip(session.get_inputs(), inputs)}
    seen = session.run(None, feeds)[0].reshape(-1)
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            torch.onnx.export(module, inputs, file, dynamo=False, opset_version=18)
        before = "accepts"
    except Exception as error:
        before = "refuses" if argument in str(error) else str(error)
    print(f"{argument.strip()}: PyTorch {expected.round(4)}, exported {seen.round(4)}, "
          f"{'with' if argument.strip() in words else 'without'} a word; dynamo=False {before} it")
    as_described &= np.allclose(expected, true, atol=1e-4) and np.allclose(seen, wrong, atol=1e-4)
    as_described &= argument.strip() not in words and before == ("refuses" if refused else "accepts")
sys.exit(0 if as_described else 1)
END_OF_PYTHON
result=0
"$folder/venv/bin/python" "$folder/arguments.py" "$folder" > "$folder/said" 2> "$folder/log" || result=1
grep "PyTorch.*dynamo" "$folder/said" || tail -n 5 "$folder/log"  # the older exporter prints its graphs, too
[ $result = 0 ] || exit 1
