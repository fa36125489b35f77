"""The mean of a block that is cut counts the zeros it is filled up with."""

import sys

import numpy as np
from skimage.measure import block_reduce

expected = [1.0, 1.0]  # what the elements that there are have in the mean
actual = block_reduce(np.ones(3), (2,), np.mean).tolist()

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: the mean is of the elements that there are")
