"""In bfloat16 an infinity makes NaN of a window that does not hold it; in float32 it does not."""

import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"
import tensorflow as tf

if "avx512_bf16" not in Path("/proc/cpuinfo").read_text(encoding="ascii"):
    print("this processor has no instructions for bfloat16")
    sys.exit(77)

x = tf.constant([[[0.0], [0.0], [0.0], [float("inf")], [0.0]]])


def first(dtype):
    output = tf.nn.conv1d(tf.cast(x, dtype), tf.zeros((3, 1, 1), dtype), 1, "VALID")
    return float(output[0, 0, 0])


expected = first(tf.float32)
actual = first(tf.bfloat16)

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
