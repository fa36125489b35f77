"""A maximum over windows of one element with negative padding aborts; in bfloat16 it crops."""

import signal
import subprocess
import sys

PROGRAM = """
import jax.numpy as jnp
from jax import lax

x = jnp.arange(5.0, dtype=DTYPE)
print(lax.reduce_window(x, -jnp.inf, lax.max, (1,), (1,), [(-1, -1)]).tolist())
"""


def outcome(dtype):
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM.replace("DTYPE", repr(dtype))],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    if run.returncode < 0:
        return f"ended by {signal.Signals(-run.returncode).name}"
    return run.stdout.strip()


expected = outcome("bfloat16")
actual = outcome("float32")

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
