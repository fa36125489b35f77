"""The gradient of conv2d_transpose of no items has another shape than its input."""

import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # what it says about itself when it is loaded
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"
import numpy as np
import tensorflow as tf

x = tf.constant(np.ones((0, 2, 4, 5), np.float32))
w = np.ones((3, 1, 1, 5), np.float32)
with tf.GradientTape() as tape:
    tape.watch(x)
    y = tf.nn.conv2d_transpose(x, w, (0, 4, 4, 1), 1, "VALID")
expected = (0, 2, 4, 5)
actual = tuple(tape.gradient(y, x).shape)

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
