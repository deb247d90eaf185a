#!/usr/bin/env python3
"""Every operation as ONNX: onnx's checker accepts each file, and ONNX Runtime gives what the reference in double gives.

operations_test.py PATH_OF_ONNX_OPERATIONS. CHALKGRAD_PYTHON names a Python with onnx and onnxruntime; skipped without.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
from support import run_where_there_is  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
OPSETS = (17, 18, 22)
# Of the largest result, in float's ε: sums of up to 100 products, and functions within a few roundings.
MOST = 16
# What is refused, because the standard has no such thing.
REFUSED = [f"{case}: ONNX has no convolution with weights that are others for each sample; it can only be run by chalkgrad"
           for case in ("conv2d_4", "conv2d_input_grad_2")]


def run_all(program):
    import numpy as np
    import onnx
    import onnxruntime

    onnxruntime.set_default_logger_severity(3)
    epsilon = np.finfo(np.float32).eps
    operations = re.findall(r"^CHALK_OP\((\w+)\)$", (ROOT / "src/ops/ops.inc").read_text(encoding="utf-8"), re.MULTILINE)
    failures, worst = [], {}
    for opset in OPSETS:
        with tempfile.TemporaryDirectory() as folder:
            said = subprocess.run([program, folder, str(opset)], check=True, capture_output=True, text=True).stdout
            failures += [line for line in said.splitlines() if line not in REFUSED]
            failures += [f"not said: {line}" for line in REFUSED if line not in said]
            for file in sorted(pathlib.Path(folder).glob("*.onnx")):
                model = onnx.load(file)
                onnx.checker.check_model(model, full_check=True)
                arrays = np.load(file.with_suffix(".npz"))
                session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
                feeds = {i.name: arrays[i.name].astype(np.float32) for i in session.get_inputs()}
                names = [o.name for o in session.get_outputs()]
                for name, value in zip(names, session.run(names, feeds)):
                    expected = arrays[name]
                    case = f"{file.stem}, opset {opset}, {name}"
                    if value.shape != expected.shape:
                        failures.append(f"{case}: {value.shape}, not {expected.shape}")
                        continue
                    error = np.abs(value - expected).max() / max(1e-30, np.abs(expected).max()) / epsilon
                    operation = file.stem.rpartition("_")[0]
                    worst[operation] = max(worst.get(operation, 0), error)
                    if not error <= MOST:
                        failures.append(f"{case}: {error:.1f} ε of the largest result away")
    failures += [f"{name}: no sample was written" for name in operations if name not in worst]
    for name in operations:
        print(f"{name:20} {worst.get(name, float('nan')):6.2f} ε")
    for line in failures:
        print("FAILED", line)
    print(f"{len(worst)} of {len(operations)} operations at opsets {', '.join(map(str, OPSETS))}, onnx {onnx.__version__}, "
          f"ONNX Runtime {onnxruntime.__version__}")
    return 1 if failures else 0


if __name__ == "__main__":
    run_where_there_is("onnx", "onnxruntime")
    sys.exit(run_all(sys.argv[1]))
