"""Compiling a convolution of an input dilated by the kernel's size ends the process.

The same with the zeros put between the elements before it does not.
"""

import signal
import subprocess
import sys

PROGRAM = """
import jax.numpy as jnp
from jax import lax

x, w = jnp.ones((1, 1, 3, 1)), jnp.ones((2, 2, 1, 1))
common = {"padding": [(1, 0), (0, 0)], "dimension_numbers": ("NHWC", "HWIO", "NHWC")}
"""
ZEROS_BEFORE = """
x = lax.pad(x, 0.0, [(0, 0, 0), (0, 0, 0), (0, 0, 1), (0, 0, 0)])
print(lax.conv_general_dilated(x, w, (1, 1), **common).ravel().tolist())
"""
DILATED = """
print(lax.conv_general_dilated(x, w, (1, 1), lhs_dilation=(1, 2), **common).ravel().tolist())
"""


def outcome(program):
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=200, check=False
    )
    if run.returncode < 0:
        return f"ended by {signal.Signals(-run.returncode).name}"
    return run.stdout.strip()


expected = outcome(PROGRAM + ZEROS_BEFORE)
actual = outcome(PROGRAM + DILATED)

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
