"""ndimage.correlate takes a weight of 1e-20 for zero; correlate1d does not."""

import sys

import numpy as np
from scipy import ndimage

x = np.array([1e20])
w = np.array([1e-20])
expected = ndimage.correlate1d(x, w).tolist()
actual = ndimage.correlate(x, w).tolist()

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
