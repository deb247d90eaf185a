#!/usr/bin/env bash
# One would guess: the test data that come with ONNX are numbers that a wrong operator gets wrong: random ones, or small whole
#   ones.
# What happens: of the cases that were made from PyTorch's operators, all five that add doubles were saved from memory that
#   nobody had set: 6.9e-310, which is an address read as a double, 1.6e-322, 9e+223. Most sums are 0 within any tolerance,
#   and in the others one number swallows the other. By the suite's own tolerances an Add that returns its first input, or
#   subtracts, passes all four that have two inputs, and one that returns 0 passes one of them.
# Versions: onnx 1.23.2, numpy 2.4.6. The data are as old as 1.16.2 at least.
# Who is hurt: whoever counts these cases as tests of how Add spreads 3, 1×3 and 2×1 over 2×3: they pass without. And whoever
#   compares bits where subnormal numbers are flushed to 0, and looks for a fault that is none.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

if ! python3 -m venv "$folder/venv" || ! "$folder/venv/bin/pip" install --quiet "onnx==1.23.2" "numpy==2.4.6"; then
  echo "cannot run: needs Python with venv, and PyPI's packages"
  exit 77
fi
cat > "$folder/unset.py" <<'END_OF_PYTHON'
import glob
import sys
import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.loader import load_model_tests


def arrays(pattern):
    for path in sorted(glob.glob(pattern)):
        tensor = onnx.TensorProto()
        with open(path, "rb") as file:
            tensor.ParseFromString(file.read())
        yield numpy_helper.to_array(tensor)


print(f"onnx {onnx.__version__}")
cases, as_described = 0, True
for case in load_model_tests(kind="pytorch-operator"):
    inputs = list(arrays(case.model_dir + "/test_data_set_0/input_*.pb"))
    output, = list(arrays(case.model_dir + "/test_data_set_0/output_*.pb"))[:1] or [None]
    if not any(x.dtype == np.float64 for x in inputs) or output is None:
        continue
    cases += 1
    numbers = np.abs(np.concatenate([x.reshape(-1) for x in inputs]))
    odd = int(((numbers < 1e-300) | (numbers > 1e100)).sum())
    wrong = {"0": np.zeros_like(output)}
    if len(inputs) == 2:
        with np.errstate(all="ignore"):
            wrong.update({"its first input": inputs[0] + np.zeros_like(output), "the difference": inputs[0] - inputs[1]})
    passes = [name for name, y in wrong.items() if np.allclose(y, output, rtol=case.rtol, atol=case.atol)]
    print(f"  {case.name}: {odd} of {numbers.size} numbers are below 1e-300 or above 1e100, such as {inputs[0].flat[0]:.3g}; "
          f"rtol {case.rtol}, atol {case.atol}: an Add passes that returns {' or '.join(passes) or 'nothing else'}")
    as_described &= odd == numbers.size and ("0" in passes) == (case.name == "test_operator_add_size1_broadcast")
    as_described &= len(inputs) == 1 or passes[-2:] == ["its first input", "the difference"]
sys.exit(0 if as_described and cases == 5 else 1)
END_OF_PYTHON

"$folder/venv/bin/python" "$folder/unset.py" || exit 1
