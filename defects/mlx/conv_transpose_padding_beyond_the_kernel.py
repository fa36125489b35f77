"""Padding of 1 crops one element on each side of [1, 0, 2, 0, 3]; one is left of five."""

import sys

import mlx.core as mx
import numpy as np

mx.set_default_device(mx.cpu)

x, w = mx.array(np.array([[[1.0], [2.0], [3.0]]], np.float32)), mx.ones((1, 1, 1))
expected = [0.0, 2.0, 0.0]
actual = mx.conv_transpose1d(x, w, stride=2, padding=1).reshape(-1).tolist()

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
