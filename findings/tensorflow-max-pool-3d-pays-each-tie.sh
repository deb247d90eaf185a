#!/usr/bin/env bash
# One would guess: where several places of a window have its maximum, max_pool3d gives the gradient to one of them, as
#   max_pool2d does, or shares it; all of it together is what came in; and tf.function changes nothing of that.
# What happens: in eager mode each of the equal places gets all of it. A window of 2x2x2 zeros, as there are many behind a
#   ReLU, returns 8 times the gradient that it was given, one of 3x3x3 27 times, and a pool over 1x2x2, which is
#   max_pool2d by another name, 4 times. In a tf.function, as in fit(), the first place gets it; but with
#   TF_ENABLE_ONEDNN_OPTS=0, and where oneDNN is not used, a tf.function does what eager mode does.
# Versions: tensorflow-cpu 2.21.0, numpy 2.4.6, on x86-64, float32 and bfloat16.
# Who is hurt: whoever trains on volumes that are mostly empty (voxels, CT, video) with a loop of his own, or debugs with
#   run_eagerly=True: other gradients, by which layers before the pool learn several times faster, and no test of values
#   sees it. A check of gradients with random numbers, which has no ties, passes.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

if [ "$(uname -m)" != x86_64 ] || ! python3 -m venv "$folder/venv" ||
   ! TMPDIR=$folder "$folder/venv/bin/pip" install --quiet "tensorflow-cpu==2.21.0" "numpy==2.4.6"; then
  echo "cannot run: needs x86-64, Python with venv, and PyPI's packages"
  exit 77
fi
cat > "$folder/ties.py" <<'END_OF_PYTHON'
import os
import sys
import numpy as np
import tensorflow as tf


def gradient(x, window):
    with tf.GradientTape() as tape:
        tape.watch(x)
        pool = tf.nn.max_pool3d if len(window) == 3 else tf.nn.max_pool2d
        y = tf.reduce_sum(pool(x, window, window, "VALID"))
    return tape.gradient(y, x)


one_dnn = os.environ["TF_ENABLE_ONEDNN_OPTS"] == "1"
as_described = True
for window in ((2, 2), (1, 2, 2), (2, 2, 2), (3, 3, 3)):
    x = np.zeros((1, *window, 1), np.float32)
    graph = tf.function(lambda v, window=window: gradient(v, window))
    sums = [float(tf.reduce_sum(what)) for what in (gradient(tf.constant(x), window), graph(tf.constant(x)))]
    print(f"TensorFlow {tf.__version__}, oneDNN {'on' if one_dnn else 'off'}, a window {window} of zeros: a gradient of 1 becomes "
          f"{sums[0]:g} in eager mode, {sums[1]:g} in a tf.function")
    ties = int(np.prod(window)) if len(window) == 3 else 1
    as_described &= sums == [ties, 1 if one_dnn else ties]
sys.exit(0 if as_described else 1)
END_OF_PYTHON
for one_dnn in 1 0; do
  TF_CPP_MIN_LOG_LEVEL=3 TF_ENABLE_ONEDNN_OPTS=$one_dnn "$folder/venv/bin/python" "$folder/ties.py" 2> "$folder/log" ||
    { tail -n 3 "$folder/log"; exit 1; }
done
