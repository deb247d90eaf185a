#!/usr/bin/env bash
# One would guess: binary_cross_entropy_with_logits and logsigmoid, which exist so that large logits do no harm, are exported
#   to ONNX in a form of which that is true, too: 20 for a wrong logit of 20, nothing for a right one.
# What happens: the exporter writes logsigmoid as Log(Sigmoid(x)), the very form that it is to replace, and the loss with it.
#   ONNX Runtime's Sigmoid is 0 from -18 on. From there every loss is infinite, of right answers as of wrong ones: for a
#   logit of -20 and a target of 0 PyTorch says 2e-9, ONNX Runtime says inf, and for -8 1.1e-4 instead of 3.4e-4. softplus
#   is exported as what it is: F.softplus(x) - x * target is the same loss, and stays finite.
# Versions: PyTorch 2.15.0 with onnxscript 0.7.2, onnx 1.23.2 and onnxruntime 1.32.0, on a CPU. With dynamo=False, NaN, too.
# Who is hurt: whoever exports a loss, to train on a device or to watch it after deployment, or a layer that returns
#   logsigmoid: tests with small random numbers agree, and the first confident answer in a batch makes the mean infinite.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

if ! python3 -m venv "$folder/venv" ||
   ! TMPDIR=$folder "$folder/venv/bin/pip" install --quiet --no-cache-dir "torch==2.15.0" "numpy==2.4.6" "onnx==1.23.2" "onnxscript==0.7.2" "onnxruntime==1.32.0"; then
  echo "cannot run: needs Python with venv, PyPI's packages, and 6 GB for them"
  exit 77
fi
cat > "$folder/losses.py" <<'END_OF_PYTHON'
import sys
import numpy as np
import onnx
import onnxruntime
import torch
from torch.nn import functional as F


class Loss(torch.nn.Module):
    def __init__(self, formula):
        super().__init__()
        self.formula = formula

    def forward(self, x, target):
        return self.formula(x, target)


forms = {
    "with_logits": lambda x, t: F.binary_cross_entropy_with_logits(x, t, reduction="none"),
    "logsigmoid": lambda x, t: -t * F.logsigmoid(x) - (1 - t) * F.logsigmoid(-x),
    "softplus": lambda x, t: F.softplus(x) - x * t,
}
logits = torch.tensor([-100.0, -20.0, -2.0, -20.0])
targets = torch.tensor([1.0, 1.0, 1.0, 0.0])
as_described = True
for name, form in forms.items():
    module, file = Loss(form), f"{sys.argv[1]}/{name}.onnx"
    torch.onnx.export(module, (logits, targets), file, input_names=["x", "t"], verbose=False)
    kinds = "+".join(sorted({node.op_type for node in onnx.load(file).graph.node} & {"Log", "Sigmoid", "Softplus"}))
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    true, exported = module(logits, targets).numpy(), session.run(None, {"x": logits.numpy(), "t": targets.numpy()})[0]
    print(f"{name}, logits {logits.tolist()}, targets {targets.tolist()}: PyTorch {true}, ONNX Runtime {exported} by {kinds}")
    as_described &= np.allclose(true, [100, 20, 2.126928, 2.06e-9], rtol=1e-3)
    if name == "softplus":
        as_described &= np.allclose(true, exported) and kinds == "Softplus"
    else:
        bad = ~np.isfinite(exported)
        as_described &= bad[:2].all() and not bad[2] and kinds == "Log+Sigmoid" and (bad[3] or name == "logsigmoid")
sys.exit(0 if as_described else 1)
END_OF_PYTHON
"$folder/venv/bin/python" "$folder/losses.py" "$folder" 2> "$folder/log" || { tail -n 5 "$folder/log"; exit 1; }
