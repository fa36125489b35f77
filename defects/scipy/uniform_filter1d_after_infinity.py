"""The average of three ones is NaN where an infinity came earlier."""

import sys

import numpy as np
from scipy import ndimage

x = np.array([np.inf, 1, 1, 1, 1, 1])
expected = float(ndimage.correlate1d(x, [1 / 3] * 3)[-1])
actual = float(ndimage.uniform_filter1d(x, 3)[-1])

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
