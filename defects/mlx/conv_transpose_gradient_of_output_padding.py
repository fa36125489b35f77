"""Three elements are differentiated by, and the gradient has two."""

import sys

import mlx.core as mx
import numpy as np

mx.set_default_device(mx.cpu)

x, w = mx.array(np.array([[[1.0], [2.0], [3.0]]], np.float32)), mx.ones((1, 1, 1))


def output(x):
    return mx.conv_transpose1d(x, w, stride=2, output_padding=1)


expected = x.shape
_, (gradient,) = mx.vjp(output, [x], [mx.ones(output(x).shape)])
actual = gradient.shape

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
