"""A convolution of no items has the shape of its input, not that of its output."""

import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # what it says about itself when it is loaded
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"
import numpy as np
import tensorflow as tf

x = np.ones((0, 4, 4, 1), np.float32)
w = np.ones((3, 1, 1, 1), np.float32)
expected = (0, 2, 4, 1)
actual = tuple(tf.nn.conv2d(x, w, 1, "VALID").shape)

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
