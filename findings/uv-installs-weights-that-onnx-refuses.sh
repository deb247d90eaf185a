#!/usr/bin/env bash
# One would guess: a model in ONNX format whose weights are in a file of their own, as every large one's are, can be loaded
#   from the Python package that contains it, whichever tool installed the package.
# What happens: uv links files from its cache into the environment (on ext4, for example, where they cannot be cloned), so
#   that each has two names. onnx takes a weight file with two names for an attack: onnx.load and onnx.checker refuse the
#   model with "it has multiple hard links". Installed by pip it loads. ONNX Runtime loads both.
# Versions: uv 0.13.8 with its default settings, onnx 1.23.2, onnxruntime 1.32.0.
# Who is hurt: whoever ships models as packages, or keeps them where equal files are stored once (conda, Nix, backups made of
#   hard links): what works where it was built fails where it is installed. UV_LINK_MODE=copy helps, or onnx.load(...,
#   load_external_data=False) and reading the weights oneself.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

if ! python3 -m venv venv || ! venv/bin/pip install --quiet "uv==0.13.8" "onnx==1.23.2" "onnxruntime==1.32.0" "numpy==2.4.6"; then
  echo "cannot run: needs Python with venv, and PyPI's packages"
  exit 77
fi
cat > build.py <<'END_OF_PYTHON'
import zipfile
import numpy as np
import onnx
from onnx import helper, numpy_helper

ports = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, 32]) for name in ("x", "y")]
graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "g", ports[:1], ports[1:],
                          [numpy_helper.from_array(np.eye(32, dtype=np.float32), "w")])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
onnx.save(model, "model.onnx", save_as_external_data=True, location="model.onnx.data", size_threshold=0)

about = "weights_in_a_wheel-1.0.dist-info/"
with zipfile.ZipFile("weights_in_a_wheel-1.0-py3-none-any.whl", "w") as wheel:
    names = ["weights_in_a_wheel/__init__.py", about + "METADATA", about + "WHEEL"]
    wheel.writestr(names[0], "")
    wheel.writestr(names[1], "Metadata-Version: 2.1\nName: weights-in-a-wheel\nVersion: 1.0\n")
    wheel.writestr(names[2], "Wheel-Version: 1.0\nGenerator: none\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    for name in ("model.onnx", "model.onnx.data"):
        names.append("weights_in_a_wheel/" + name)
        wheel.write(name, names[-1])
    wheel.writestr(about + "RECORD", "".join(f"{name},,\n" for name in [*names, about + "RECORD"]))
END_OF_PYTHON
cat > load.py <<'END_OF_PYTHON'
import glob
import os
import sys
import onnx
import onnxruntime

path = glob.glob(sys.argv[1] + "/lib/python*/site-packages/weights_in_a_wheel/model.onnx")[0]
expected = "refused" if sys.argv[2] == "uv" else "loaded"
links = os.stat(path + ".data").st_nlink
onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
said = {}
for name, look in (("onnx.load", onnx.load), ("onnx.checker", onnx.checker.check_model)):
    try:
        look(path)
        said[name] = "loaded"
    except Exception as error:
        said[name] = "refused" if "multiple hard links" in str(error) else str(error)
print(f"installed by {sys.argv[2]}: the weights have {links} names; ONNX Runtime loaded them; {said}")
sys.exit(77 if sys.argv[2] == "uv" and links == 1 else 0 if set(said.values()) == {expected} else 1)
END_OF_PYTHON
venv/bin/python build.py

python3 -m venv by-pip
by-pip/bin/pip install --quiet weights_in_a_wheel-1.0-py3-none-any.whl
venv/bin/python load.py by-pip pip || exit 1
python3 -m venv by-uv
VIRTUAL_ENV=$folder/by-uv UV_CACHE_DIR=$folder/cache venv/bin/uv --no-config pip install --quiet --offline weights_in_a_wheel-1.0-py3-none-any.whl
result=0
venv/bin/python load.py by-uv uv || result=$?
if [ $result = 77 ]; then
  echo "cannot run: this file system clones files, so that uv need not link them"
  exit 77
fi
[ $result = 0 ] || exit 1
