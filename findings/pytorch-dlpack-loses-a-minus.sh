#!/usr/bin/env bash
# One would guess: numpy.from_dlpack(tensor) holds the numbers of the tensor, or raises an error where it cannot, as for
#   tensors that want a gradient or are conjugated lazily.
# What happens: the imaginary part of a conjugated tensor is negated lazily, too: the memory has the opposite signs, and a
#   flag says so. tensor.numpy() sees the flag and refuses, but the DLPack export does not look at it: NumPy, JAX and
#   whatever else reads DLPack get each number with the wrong sign, and so does torch.from_dlpack(tensor) itself.
# Versions: PyTorch 2.15.0, on a CPU, and numpy 2.4.6. Conjugated tensors are refused, so is requires_grad.
# Who is hurt: whoever hands spectra to another library without a copy: torch.fft.fft(x).conj().imag, which is wrong in the
#   sine terms only, or the imaginary part of a matrix.mH. resolve_neg() before the export helps.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

if ! python3 -m venv "$folder/venv" || ! TMPDIR=$folder "$folder/venv/bin/pip" install --quiet --no-cache-dir "torch==2.15.0" "numpy==2.4.6"; then
  echo "cannot run: needs Python with venv, PyPI's packages, and 6 GB for them"
  exit 77
fi
cat > "$folder/signs.py" <<'END_OF_PYTHON'
import sys
import numpy as np
import torch


def refuses(what):
    try:
        what()
        return False
    except (RuntimeError, BufferError):
        return True


spectrum = torch.fft.fft(torch.tensor([1.0, 2.0, 4.0, 8.0]))
as_described = True
for name, part in (("conj().imag", spectrum.conj().imag), ("mH.imag", spectrum.reshape(4, 1).mH.imag[0]),
                   ("imag", spectrum.imag)):
    true = [float(x) for x in part]
    numpy, itself = np.from_dlpack(part).tolist(), [float(x) for x in torch.from_dlpack(part)]
    refused, resolved = refuses(part.numpy), np.from_dlpack(part.resolve_neg()).tolist()
    print(f"PyTorch {torch.__version__}, {name}: {true}; through DLPack {numpy} in NumPy, {itself} in PyTorch; .numpy() "
          f"{'refuses' if refused else 'agrees'}; with resolve_neg {resolved}")
    lazily = name != "imag"
    wrong = [-x for x in true] if lazily else true
    as_described &= numpy == itself == wrong and resolved == true and refused == lazily and true != [-x for x in true]
as_described &= refuses(lambda: np.from_dlpack(spectrum.conj()))
sys.exit(0 if as_described else 1)
END_OF_PYTHON
"$folder/venv/bin/python" "$folder/signs.py" || exit 1
