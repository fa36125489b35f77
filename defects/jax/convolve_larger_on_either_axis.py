"""The full convolve of a row by a column fails with method direct, and not with fft."""

import sys

import jax.numpy as jnp
from jax.scipy.signal import convolve

row, column = jnp.ones((1, 2)), jnp.ones((2, 1))
expected = convolve(row, column, method="fft").tolist()
try:
    actual = convolve(row, column, method="direct").tolist()
except ValueError as error:
    actual = f"ValueError: {error}"

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
