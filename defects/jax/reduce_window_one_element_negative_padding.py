"""A maximum over windows of one element with negative padding aborts; over two it crops."""

import signal
import subprocess
import sys

PROGRAM = """
import jax.numpy as jnp
from jax import lax

print(lax.reduce_window(jnp.arange(5.0), -jnp.inf, lax.max, (1,), (1,), [(-1, -1)]).tolist())
"""


def outcome(program):
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=200, check=False
    )
    if run.returncode < 0:
        return f"ended by {signal.Signals(-run.returncode).name}"
    return run.stdout.strip()


expected = [1.0, 2.0, 3.0]
actual = outcome(PROGRAM)

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
