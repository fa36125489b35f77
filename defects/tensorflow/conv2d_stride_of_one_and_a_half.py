"""A stride that is no integer is rounded down without a word."""

import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf

expected = "an error"
try:
    found = tf.nn.conv2d(tf.ones((1, 4, 4, 1)), tf.ones((1, 1, 1, 1)), (1.5, 1.5), "VALID")
    actual = tuple(found.shape)
except (TypeError, ValueError):
    actual = "an error"

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
