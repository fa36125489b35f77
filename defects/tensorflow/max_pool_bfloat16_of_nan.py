"""The maximum of NaN alone is -inf in max_pool2d of bfloat16, NaN in max_pool_with_argmax."""

import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"
import tensorflow as tf

if "avx512f" not in Path("/proc/cpuinfo").read_text(encoding="ascii"):
    print("on this processor TensorFlow does not use oneDNN for bfloat16")
    sys.exit(77)

x = tf.constant([[[[float("nan")]]]], tf.bfloat16)
expected = float(tf.nn.max_pool_with_argmax(x, 1, 1, "VALID")[0][0, 0, 0, 0])
actual = float(tf.nn.max_pool2d(x, 1, 1, "VALID")[0, 0, 0, 0])

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
