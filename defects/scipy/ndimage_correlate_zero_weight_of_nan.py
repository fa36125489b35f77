"""Zero times NaN is 0 in ndimage.correlate and NaN in correlate1d."""

import sys

import numpy as np
from scipy import ndimage

x = np.array([np.nan])
w = np.array([0.0])
expected = ndimage.correlate1d(x, w).tolist()
actual = ndimage.correlate(x, w).tolist()

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
