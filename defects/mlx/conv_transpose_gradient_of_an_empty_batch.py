"""The gradient of nothing is a floating point exception."""

import signal
import subprocess
import sys

PROGRAM = """
import mlx.core as mx

mx.set_default_device(mx.cpu)
x, w = mx.ones((0, 3, 1)), mx.ones((1, 2, 1))


def output(w):
    return mx.conv_transpose1d(x, w, stride=2)


_, (gradient,) = mx.vjp(output, [w], [mx.ones(output(w).shape)])
mx.eval(gradient)
print(gradient.shape)
"""

run = subprocess.run(
    [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=200, check=False
)
expected = "(1, 2, 1)"
actual = run.stdout.strip()
if run.returncode < 0:
    actual = f"ended by {signal.Signals(-run.returncode).name}"

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
