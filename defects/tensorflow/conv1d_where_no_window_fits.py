"""Where the output has no element, in float32 it has as many as the input."""

import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"
import tensorflow as tf


def shape(dtype):
    x, w = tf.ones((1, 2, 1), dtype), tf.ones((3, 1, 1), dtype)
    return tuple(tf.nn.conv1d(x, w, 1, "VALID").shape)


expected = shape("float64")
actual = shape("float32")

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
