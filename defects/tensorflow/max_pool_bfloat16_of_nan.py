"""The maximum of NaN alone is -inf in max_pool2d of bfloat16, NaN in max_pool_with_argmax."""

import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf

x = tf.constant([[[[float("nan")]]]], tf.bfloat16)
expected = float(tf.nn.max_pool_with_argmax(x, 1, 1, "VALID")[0][0, 0, 0, 0])
actual = float(tf.nn.max_pool2d(x, 1, 1, "VALID")[0, 0, 0, 0])

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
