#!/usr/bin/env bash
# One would guess: centred RMSprop, which divides by √(s − m²), slows down or races where gradients do not change, but stays
#   a number: s, the average of g², is never below m², the square of the average of g.
# What happens: both averages are rounded, so that in float32 s − m² becomes negative where it should be near 0. PyTorch takes
#   its root as it is: after some 1,200 steps of one gradient the first weights are NaN, and after 3,000 some 3 % of them.
#   Without centring none is, and in float64 none is.
# Versions: PyTorch 2.15.0, on a CPU.
# Who is hurt: whoever trains with RMSprop(centered=True) and has a weight whose gradient is the same at each step: that of a
#   linear penalty or of a saturated clip, or a bias of an output that is always wrong by the same amount.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

if ! python3 -m venv "$folder/venv" || ! TMPDIR=$folder "$folder/venv/bin/pip" install --quiet --no-cache-dir "torch==2.15.0" "numpy==2.4.6"; then
  echo "cannot run: needs Python with venv, PyPI's packages, and 6 GB for them"
  exit 77
fi
cat > "$folder/constant.py" <<'END_OF_PYTHON'
import sys
import torch

torch.manual_seed(0)
weights, steps, lost = 100_000, 3_000, {}
for dtype in (torch.float32, torch.float64):
    for centered in (False, True):
        w = torch.zeros(weights, dtype=dtype, requires_grad=True)
        w.grad = torch.rand(weights, dtype=torch.float64).to(dtype)
        optimizer = torch.optim.RMSprop([w], lr=0.01, alpha=0.99, centered=centered)
        first = None
        for step in range(1, steps + 1):
            optimizer.step()
            found = int(torch.isnan(w).sum())
            first = first or (step if found else None)
        lost[dtype, centered] = found
        print(f"PyTorch {torch.__version__}, {dtype}, centered={centered}: {found:,} of {weights:,} weights are NaN after"
              f" {steps:,} steps" + (f", the first after {first:,}" if first else ""))
as_described = all((found > weights // 100) == (key == (torch.float32, True)) for key, found in lost.items())
as_described &= all(found == 0 for key, found in lost.items() if key != (torch.float32, True))
sys.exit(0 if as_described else 1)
END_OF_PYTHON
"$folder/venv/bin/python" "$folder/constant.py" || exit 1
