#!/usr/bin/env bash
# One would guess: what an ONNX Runtime session returns can be calculated with in NumPy and given to the next run; a scalar,
#   such as a learning rate or a step count that a model has as an input and an output, like any other tensor.
# What happens: a scalar comes out as an array of shape (), which the next run takes. But NumPy makes a scalar of its own,
#   not an array, of every calculation with such an array: rate * 0.9 is a numpy.float32. session.run() refuses that, and
#   x.mean() and x[0], with "Unable to handle object of type <class 'numpy.float32'>", though it has dtype, shape and the
#   buffer of the tensor that is wanted. With a vector of one element all of this works.
# Versions: onnxruntime 1.32.0 and 1.20.1, onnx 1.23.2, numpy 2.4.6 and 1.26.4.
# Who is hurt: whoever feeds state back (a step of training as ONNX, a decay, a running mean): the first run works, the
#   one after a calculation fails. np.asarray(value), or keeping such numbers as vectors, helps.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat > "$folder/scalar.py" <<'END_OF_PYTHON'
import sys
import numpy as np
import onnx
import onnxruntime
from onnx import helper

def session(shape):
    ports = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name in ("rate", "next")]
    graph = helper.make_graph([helper.make_node("Identity", ["rate"], ["next"])], "g", ports[:1], ports[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])

def run(on, value):
    try:
        return on.run(None, {"rate": value})[0], "taken"
    except RuntimeError as error:
        return None, str(error)

print(f"onnxruntime {onnxruntime.__version__}, numpy {np.__version__}")
as_described = True
for shape in ([], [1]):
    on = session(shape)
    rate, first = run(on, np.full(shape, 0.5, np.float32))
    again = run(on, rate)[1]
    changed = rate * np.float32(0.9)
    calculated, asarray = run(on, changed)[1], run(on, np.asarray(changed))[1]
    print(f"  shape {shape}: a {type(rate).__name__} comes out, {again} again; times 0.9 it is a {type(changed).__name__}: "
          f"{calculated}; by asarray: {asarray}")
    wanted = "Unable to handle object of type <class 'numpy.float32'>" if not shape else "taken"
    as_described &= (first, again, calculated, asarray) == ("taken", "taken", wanted, "taken")
sys.exit(0 if as_described else 1)
END_OF_PYTHON

for packages in "onnxruntime==1.32.0 numpy==2.4.6" "onnxruntime==1.20.1 numpy==1.26.4"; do
  rm -rf "$folder/venv"
  # shellcheck disable=SC2086  # two packages
  if ! python3 -m venv "$folder/venv" || ! "$folder/venv/bin/pip" install --quiet onnx==1.23.2 $packages; then
    echo "cannot run: needs Python with venv, and PyPI's packages"
    exit 77
  fi
  "$folder/venv/bin/python" "$folder/scalar.py" || exit 1
done
