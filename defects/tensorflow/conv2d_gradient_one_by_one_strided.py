"""The gradient of conv2d by a filter of one element, with strides, uses memory beside its own."""

import subprocess
import sys

PROGRAM = """
import os
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"
import tensorflow as tf

x, w = tf.ones((1, 256, 256, 1)), tf.ones((1, 1, 1, 1))
for _ in range(300):
    with tf.GradientTape() as tape:
        tape.watch(w)
        y = tf.nn.conv2d(x, w, 2, "VALID")
    gradient = tape.gradient(y, w)
print(float(gradient[0, 0, 0, 0]))
"""

run = subprocess.run(
    [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=200, check=False
)
expected = "16384.0"
actual = run.stdout.strip()
if run.returncode < 0:
    actual = "the process is ended by a signal"

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
