"""In float64 a group of a convolution multiplies the other's infinity by zero; in float32 not."""

import sys

import jax
import jax.numpy as jnp
from jax import lax

jax.config.update("jax_enable_x64", True)  # noqa: FBT003


def computed(dtype):
    x = jnp.asarray([[[0, jnp.inf]]], dtype)
    w = jnp.ones((1, 1, 2), dtype)
    layouts = ("NWC", "WIO", "NWC")
    return lax.conv_general_dilated(
        x, w, (1,), "VALID", dimension_numbers=layouts, feature_group_count=2
    )[0, 0].tolist()


expected = computed("float32")
actual = computed("float64")

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
