"""A maximum over windows of one with negative padding aborts; cropped before, it does not."""

import signal
import subprocess
import sys

PROGRAM = """
import jax.numpy as jnp
from jax import lax

x = jnp.arange(5.0)
"""
CROPPED_BEFORE = """
x = lax.pad(x, -jnp.inf, [(-1, -1, 0)])
print(lax.reduce_window(x, -jnp.inf, lax.max, (1,), (1,), [(0, 0)]).tolist())
"""
CROPPED = """
print(lax.reduce_window(x, -jnp.inf, lax.max, (1,), (1,), [(-1, -1)]).tolist())
"""


def outcome(program):
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=200, check=False
    )
    if run.returncode < 0:
        return f"ended by {signal.Signals(-run.returncode).name}"
    return run.stdout.strip()


expected = outcome(PROGRAM + CROPPED_BEFORE)
actual = outcome(PROGRAM + CROPPED)

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
