"""The operands are exchanged where the second is the longer, and so is what "same" means."""

import sys

import mlx.core as mx

mx.set_default_device(mx.cpu)
f, g = mx.ones(2), mx.array([1.0, 2.0, 3.0, 4.0])
expected = f.size
actual = mx.convolve(f, g, mode="same").size

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
