"""Mode same has the size of the first operand in SciPy, and of the longer one in NumPy."""

import sys

import numpy as np

first, second = np.array([1, 1]), np.array([1, 2, 3, 4])
expected = first.size
actual = np.convolve(first, second, "same").size

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
