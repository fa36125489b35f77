"""Unequal strides of depthwise_conv2d depend on the type."""

import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"
import tensorflow as tf


def shape(dtype):
    x, w = tf.ones((1, 4, 4, 1), dtype), tf.ones((1, 1, 1, 1), dtype)
    try:
        return tuple(tf.nn.depthwise_conv2d(x, w, (1, 1, 2, 1), "VALID").shape)
    except tf.errors.InvalidArgumentError as error:
        return f"InvalidArgumentError: {error.message.partition('}} ')[2].partition(' [')[0]}"


expected = shape("float32")
actual = shape("float64")

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
