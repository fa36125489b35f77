"""max_pool2d refuses a cotangent of another shape than its result; avg_pool2d does not."""

import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf


def gradient(pool):
    x = tf.ones((1, 1, 1, 1))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = pool(x, 1, 1, "VALID")
    try:
        found = tape.gradient(y, x, output_gradients=tf.ones((1, 1, 2, 1)))
    except tf.errors.InvalidArgumentError:
        return "InvalidArgumentError"
    return int(tf.size(found))


expected = gradient(tf.nn.max_pool2d)
actual = gradient(tf.nn.avg_pool2d)

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
