#!/usr/bin/env bash
# One would guess: Pillow shows a transparent grey PNG file the same whether its pixels take 8 bits, or 2 or 4, to which
#   optimisers of PNG files reduce icons of few greys.
# What happens: of 2 and 4 bits, grey values are scaled to 0…255 (1 of 0…3 becomes 85), but the value that is transparent
#   (the chunk tRNS) is not: Pillow still looks for 1, finds none, and convert("RGBA") is opaque everywhere. If it is 0 or,
#   for 1 bit, 1, all is well, so simple tests pass.
# Versions: Pillow 13.0.0 and 11.3.0; pypng 0.20220715.0 reads what the PNG specification says.
# Who is hurt: whoever pastes small grey icons or masks with their transparency: those that somebody has optimised get a box
#   around them. img.info["transparency"] times 85 (2 bits) or 17 (4 bits) before convert("RGBA") helps.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat > "$folder/icon.py" <<'END_OF_PYTHON'
import io, sys
import PIL
import png
from PIL import Image

as_described = True
for bits in (2, 4, 8):
    file = io.BytesIO()
    png.Writer(width=4, height=1, greyscale=True, bitdepth=bits, transparent=1).write(file, [[0, 1, 2, 3]])
    expected = [pixel for row in png.Reader(bytes=file.getvalue()).asRGBA8()[2] for pixel in row][3::4]
    seen = list(Image.open(io.BytesIO(file.getvalue())).convert("RGBA").getchannel("A").tobytes())
    print(f"Pillow {PIL.__version__}: {bits} bits, grey 1 is transparent: opacity {seen}, pypng's {expected}")
    as_described &= expected == [255, 0, 255, 255] and seen == ([255] * 4 if bits < 8 else expected)
sys.exit(0 if as_described else 1)
END_OF_PYTHON

for package in "pillow==13.0.0" "pillow==11.3.0"; do
  rm -rf "$folder/venv"
  if ! python3 -m venv "$folder/venv" || ! "$folder/venv/bin/pip" install --quiet "pypng==0.20220715.0" "$package"; then
    echo "cannot run: needs Python with venv, and PyPI's packages"
    exit 77
  fi
  "$folder/venv/bin/python" "$folder/icon.py" || exit 1
done
