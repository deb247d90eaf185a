#!/usr/bin/env bash
# One would guess: cv2.imread(file, cv2.IMREAD_GRAYSCALE) gives the same grey picture whether or not a PNG file says that
#   its colours are sRGB (a chunk sRGB, or gAMA 1/2.2), since that is what everybody assumes, and since the colours
#   themselves are read the same.
# What happens: with the chunk, grey is mixed in linear light. Pure red is 147 instead of 76, blue 95 instead of 29.
#   Neither IMREAD_COLOR nor cvtColor(IMREAD_COLOR, COLOR_BGR2GRAY) changes.
# Versions: opencv-python-headless 5.0.0.93 and 4.12.0.88, both with their own libpng; Pillow 13.0.0's convert("L") gives 76.
# Who is hurt: whoever loads colour files as grey in OpenCV that different programs have saved: many paint programs write
#   the chunk, OpenCV and Pillow do not, so saving a picture anew changes it. Reading colour and then cvtColor helps.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat > "$folder/grey.py" <<'END_OF_PYTHON'
import struct, sys, zlib
import cv2
import numpy as np


def with_chunk(png, kind, data):
    chunk = struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return png[:33] + chunk + png[33:]  # right behind the header


def read(png, how):
    return cv2.imdecode(np.frombuffer(png, np.uint8), how)


as_described = True
for name, bgr in (("red", (0, 0, 255)), ("green", (0, 255, 0)), ("blue", (255, 0, 0))):
    plain = cv2.imencode(".png", np.full((1, 1, 3), bgr, np.uint8))[1].tobytes()
    srgb, gamma = with_chunk(plain, b"sRGB", b"\0"), with_chunk(plain, b"gAMA", struct.pack(">I", 45455))
    colours = {tuple(read(png, cv2.IMREAD_COLOR)[0, 0].tolist()) for png in (plain, srgb, gamma)}
    greys = [int(read(png, cv2.IMREAD_GRAYSCALE)[0, 0]) for png in (plain, srgb, gamma)]
    print(f"{cv2.__version__}: {name} as grey: {greys[0]}; with sRGB {greys[1]}, with gAMA {greys[2]}")
    as_described &= colours == {bgr} and greys[1] == greys[2] >= greys[0] + 50
sys.exit(0 if as_described else 1)
END_OF_PYTHON

for package in "opencv-python-headless==5.0.0.93" "opencv-python-headless==4.12.0.88"; do
  rm -rf "$folder/venv"
  if ! python3 -m venv "$folder/venv" || ! "$folder/venv/bin/pip" install --quiet "numpy==2.2.6" "$package"; then
    echo "cannot run: needs Python with venv, and PyPI's packages"
    exit 77
  fi
  "$folder/venv/bin/python" "$folder/grey.py" || exit 1
done
