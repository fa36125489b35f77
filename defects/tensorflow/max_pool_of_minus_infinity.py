"""The largest of the elements of a window is one that it does not hold."""

import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf

x = tf.constant([[[[float("-inf")]]]])
expected = float(tf.nn.max_pool_with_argmax(x, 1, 1, "VALID")[0][0, 0, 0, 0])
actual = float(tf.nn.max_pool2d(x, 1, 1, "VALID")[0, 0, 0, 0])

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
