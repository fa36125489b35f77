"""Where the output is empty, max_pool2d in float32 is a floating point exception."""

import signal
import subprocess
import sys

PROGRAM = """
import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"
import tensorflow as tf
print(tuple(tf.nn.max_pool2d(tf.ones((1, 2, 2, 1), DTYPE), 3, 1, "VALID").shape))
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


expected = outcome("float64")
actual = outcome("float32")

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
