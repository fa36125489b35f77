"""A convolution padded by -1 and 1 reads the next item of the batch in float32, not in float64."""

import sys

import jax
import jax.numpy as jnp
from jax import lax

jax.config.update("jax_enable_x64", True)  # noqa: FBT003


def first(dtype):
    x = jnp.arange(1, 17, dtype=dtype).reshape(2, 2, 4)
    w = jnp.ones((2, 4, 2), dtype)
    layouts = ("NWC", "WIO", "NWC")
    return lax.conv_general_dilated(x, w, (1,), [(-1, 1)], dimension_numbers=layouts)[0].tolist()


expected = first("float64")
actual = first("float32")

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
