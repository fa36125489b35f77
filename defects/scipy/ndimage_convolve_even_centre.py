"""The middle of the full convolution begins at the first element; that of ndimage at the second."""

import sys

import numpy as np
from scipy import ndimage, signal

x = np.array([0, 1, 0, 0])
w = np.array([1, 2])
expected = signal.convolve(x, w, "same").tolist()
actual = ndimage.convolve(x, w, mode="constant").tolist()

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
