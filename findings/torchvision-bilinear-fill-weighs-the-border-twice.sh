#!/usr/bin/env bash
# One would guess: rotate() and affine() with bilinear interpolation and a fill give, at the border, something between the
#   picture and the fill, and fill=0 gives what no fill gives, since what is outside is 0 then, too.
# What happens: pixels at the border are weighed twice by how far they are within. A picture that is 100 everywhere, made
#   smaller by 0.9 with fill=50, has 45.3 in its corner: below both. With fill=0 it has 13.9 there, and 37.3 without a
#   fill, which is right: 0.61² · 100. RandomRotation and RandomAffine always pass a fill, 0 by default. Only tensors are
#   concerned; pictures of Pillow are turned by Pillow.
# Versions: torchvision 0.29.2 with PyTorch 2.15.0, on a CPU, transforms.v2.functional and transforms.functional. Known:
#   pytorch/vision issues 6517 and 8083.
# Who is hurt: whoever rotates tensors: a dark frame of a pixel, darker than it should be; and whoever compares another
#   implementation with it. Subtract the fill, call without one, and add the fill again.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

if ! python3 -m venv "$folder/venv" || ! TMPDIR=$folder "$folder/venv/bin/pip" install --quiet --no-cache-dir "torch==2.15.0" "torchvision==0.29.2" "numpy==2.4.6"; then
  echo "cannot run: needs Python with venv, PyPI's packages, and 6 GB for them"
  exit 77
fi
cat > "$folder/border.py" <<'END_OF_PYTHON'
import sys
import torch
import torchvision
from torchvision.transforms import InterpolationMode, functional as v1
from torchvision.transforms.v2 import functional as v2

picture = torch.full((1, 8, 8), 100.0)
right = True
for name, functions in (("v2", v2), ("v1", v1)):
    corner = {}
    for fill in (None, 0.0, 50.0):
        y = functions.affine(picture, angle=0.0, translate=[0, 0], scale=0.9, shear=[0.0, 0.0],
                             interpolation=InterpolationMode.BILINEAR, fill=None if fill is None else [fill])
        corner[fill] = round(y[0, 0, 0].item(), 1)
    print(f"torchvision {torchvision.__version__}, {name}: the corner of a picture of 100s, scaled by 0.9, by fill: {corner}")
    right &= corner == {None: 37.3, 0.0: 13.9, 50.0: 45.3}
sys.exit(0 if right else 1)
END_OF_PYTHON
"$folder/venv/bin/python" "$folder/border.py" || exit 1
