"""Two correlations, of two dimensions, with one documentation, and two centres."""

import sys

import numpy as np
from scipy import signal

x = np.array([[0, 1, 0, 0]])
w = np.array([[1, 2]])
expected = signal.correlate(x, w, "same")[0].tolist()
actual = signal.correlate2d(x, w, "same")[0].tolist()

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
