#!/usr/bin/env bash
# One would guess: what PyTorch computes from float64 tensors is float64, gradients too, and torch.autograd.gradcheck, which
#   asks for float64 inputs, would notice if one were not.
# What happens: the gradient of hardsigmoid between −3 and 3 is float32's sixth, 0.1666666716337204, which is off by 3e-8,
#   a hundred million times the rounding of float64. The value is right to the last bit, relu6(x + 3) / 6 has the right
#   gradient, and gradcheck passes, as its tolerances are wider.
# Versions: PyTorch 2.15.0, on a CPU.
# Who is hurt: whoever takes PyTorch's float64 gradients as a reference for another implementation at 1e-8 or tighter, and
#   looks for the fault there.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

if ! python3 -m venv "$folder/venv" || ! TMPDIR=$folder "$folder/venv/bin/pip" install --quiet --no-cache-dir "torch==2.15.0" "numpy==2.4.6"; then
  echo "cannot run: needs Python with venv, PyPI's packages, and 6 GB for them"
  exit 77
fi
cat > "$folder/slopes.py" <<'END_OF_PYTHON'
import sys
import torch
from torch.nn import functional as F

x = torch.tensor([0.5], dtype=torch.float64, requires_grad=True)
forms = {"hardsigmoid(x)": F.hardsigmoid, "relu6(x + 3) / 6": lambda v: F.relu6(v + 3) / 6}
slopes = {}
for name, form in forms.items():
    y = form(x)
    slopes[name] = torch.autograd.grad(y, x)[0].item()
    print(f"PyTorch {torch.__version__}: {name} of 0.5 is {y.item()!r}, its gradient {slopes[name]!r}; 1/6 is {1 / 6!r}")
passes = torch.autograd.gradcheck(F.hardsigmoid, (x,))
print(f"gradcheck says {passes}")
float_sixth = torch.tensor(1 / 6, dtype=torch.float32).item()
sys.exit(0 if list(slopes.values()) == [float_sixth, 1 / 6] and passes else 1)
END_OF_PYTHON
"$folder/venv/bin/python" "$folder/slopes.py" || exit 1
