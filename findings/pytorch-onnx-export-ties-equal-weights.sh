#!/usr/bin/env bash
# One would guess: a network that PyTorch has exported to ONNX has the parameters of the original, one by one, so that it can
#   be trained further.
# What happens: the exporter keeps one of several tensors that are equal at that moment, up to 1,024 numbers, and drops biases
#   that are 0. Of a network that has not been trained yet, all norms of one size share one scale and one shift, as these
#   begin as ones and zeros, and layers whose biases begin at 0 have none: of 16 parameters 6 are left. What is computed
#   is the same. training=TrainingMode.TRAINING changes nothing; optimize=False keeps all, and so does dynamo=False with
#   TRAINING.
# Versions: PyTorch 2.15.0 with onnxscript 0.7.2, onnx 1.23.2, on a CPU.
# Who is hurt: whoever makes the graph for training on a device from a fresh network: all norms are moved as one, by the
#   gradients of all, and some layers learn no bias, without an error anywhere. Trained weights show none of it, and tests
#   of equal outputs pass.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

if ! python3 -m venv "$folder/venv" ||
   ! TMPDIR=$folder "$folder/venv/bin/pip" install --quiet --no-cache-dir "torch==2.15.0" "numpy==2.4.6" "onnx==1.23.2" "onnxscript==0.7.2"; then
  echo "cannot run: needs Python with venv, PyPI's packages, and 6 GB for them"
  exit 77
fi
cat > "$folder/fresh.py" <<'END_OF_PYTHON'
import sys
import onnx
import torch
from torch import nn
from torch.onnx import TrainingMode


def block():
    layer = nn.Linear(16, 16)
    nn.init.zeros_(layer.bias)
    return [layer, nn.LayerNorm(16), nn.GELU()]


torch.manual_seed(0)
network = nn.Sequential(*block(), *block(), *block(), *block())
parameters = dict(network.named_parameters())
kept = {}
for name, options in {"default": {}, "TRAINING": {"training": TrainingMode.TRAINING}, "optimize=False": {"optimize": False},
                      "dynamo=False": {"dynamo": False, "training": TrainingMode.TRAINING, "opset_version": 18}}.items():
    torch.onnx.export(network, (torch.ones(1, 16),), f"{sys.argv[1]}/model.onnx", **options)
    graph = onnx.load(f"{sys.argv[1]}/model.onnx").graph
    kept[name] = [tensor.name for tensor in graph.initializer if tensor.name in parameters]
    norms = {node.input[1] for node in graph.node if node.op_type == "LayerNormalization"}
    print(f"of {len(parameters)} parameters, {name} keeps {len(kept[name])}; the scales of 4 norms are {sorted(norms)}")
as_described = kept["default"] == kept["TRAINING"] and len(kept["default"]) == 4 + 2  # weights, and one norm
as_described &= all(len(kept[name]) == len(parameters) for name in ("optimize=False", "dynamo=False"))
sys.exit(0 if as_described else 1)
END_OF_PYTHON
result=0
"$folder/venv/bin/python" "$folder/fresh.py" "$folder" > "$folder/said" 2> "$folder/log" || result=1
grep "^of " "$folder/said" || tail -n 5 "$folder/log"
[ $result = 0 ] || exit 1
