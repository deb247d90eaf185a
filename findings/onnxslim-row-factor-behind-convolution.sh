#!/usr/bin/env bash
# One would guess: a program that makes ONNX models smaller and merges a multiplication into the convolution before it does so
#   where the factors are one for each channel, (C, 1, 1), and leaves factors for columns, (W), or rows, (H, 1), alone.
# What happens: onnxslim asks only how many factors there are. Where W, H or the batch is as large as the number of channels,
#   it multiplies the kernels by factors that are meant for columns, rows or samples, and drops the Mul: channels are
#   scaled instead. ConvTranspose has the same fault. Div, Add and factors of any other number are right, and so is the
#   same factor on the left of the Mul, which is not merged.
# Versions: onnxslim 0.1.98, onnx 1.23.2, onnxruntime 1.32.0 without its own optimisations.
# Who is hurt: whoever weighs columns behind a convolution: bands of a spectrogram, a window over a signal, a mask. 64 bands
##   and 64 channels are usual. Nothing is said, and shapes stay. Factors that stand first in the Mul are safe.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

if ! python3 -m venv "$folder/venv" ||
   ! "$folder/venv/bin/pip" install --quiet "onnxslim==0.1.98" "onnx==1.23.2" "onnxruntime==1.32.0" "numpy==2.4.6"; then
  echo "cannot run: needs Python with venv, and PyPI's packages"
  exit 77
fi
cat > "$folder/factors.py" <<'END_OF_PYTHON'
import sys
import numpy as np
import onnx
import onnxruntime
import onnxslim
from onnx import helper, numpy_helper


def model(samples, width, factors, left=False):
    """A convolution 1×1 of two channels to four, all weights 1, times factors."""
    ports = [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [samples, 2, 3, width]),
             helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [samples, 4, 3, width])]
    nodes = [helper.make_node("Conv", ["x", "w"], ["z"]),
             helper.make_node("Mul", ["factors", "z"] if left else ["z", "factors"], ["y"])]
    tensors = [numpy_helper.from_array(np.ones((4, 2, 1, 1), np.float32), "w"), numpy_helper.from_array(factors, "factors")]
    graph = helper.make_graph(nodes, "g", ports[:1], ports[1:], tensors)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(made, full_check=True)
    return made


def run(made, x):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(made.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


four, five = np.arange(1, 5, dtype=np.float32), np.arange(1, 6, dtype=np.float32)
cases = {  # whether the result stays the same
    "channels": (model(1, 4, four.reshape(4, 1, 1)), True),
    "columns": (model(1, 4, four), False),
    "columns, on the left": (model(1, 4, four, left=True), True),
    "samples": (model(4, 4, four.reshape(4, 1, 1, 1)), False),
    "five columns": (model(1, 5, five), True),
}
as_described = True
for name, (made, expected) in cases.items():
    shape = [d.dim_value for d in made.graph.input[0].type.tensor_type.shape.dim]
    x = np.ones(shape, np.float32)
    before, slim = run(made, x), onnxslim.slim(made)
    after, kinds = run(slim, x), [node.op_type for node in slim.graph.node]
    same = np.array_equal(before, after)
    print(f"onnxslim {onnxslim.__version__}, factors for {name}: {'+'.join(kinds)}, {'same' if same else 'OTHER'}; the first row "
          f"was {before[0, 0, 0].tolist()} and is {after[0, 0, 0].tolist()}")
    as_described &= same == expected
sys.exit(0 if as_described else 1)
END_OF_PYTHON
"$folder/venv/bin/python" "$folder/factors.py" || exit 1
