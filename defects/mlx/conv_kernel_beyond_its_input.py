"""A kernel of two does not fit into one element, at whatever stride."""

import sys

import mlx.core as mx
import numpy as np

mx.set_default_device(mx.cpu)

x, w = mx.array(np.ones((1, 1, 1), np.float32)), mx.ones((1, 2, 1))
expected = "ValueError"
try:
    actual = mx.conv_general(x, w, stride=2).size
except ValueError:
    actual = "ValueError"

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
