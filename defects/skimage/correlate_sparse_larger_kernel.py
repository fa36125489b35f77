"""A kernel of four fails on two elements, on which one of three, five or six has no output."""

import sys

import numpy as np
from skimage.filters import correlate_sparse

expected = {correlate_sparse(np.ones(2), np.ones(size), "valid").size for size in (3, 5, 6)}
try:
    actual = str(correlate_sparse(np.ones(2), np.ones(4), "valid").size)
except ValueError as error:
    actual = f"ValueError: {' '.join(str(error).split()[:3])}"

print(f"expected: {', '.join(map(str, expected))}")
print(f"actual:   {actual}")
if actual in map(str, expected):
    sys.exit("stale: no kernel that is too large has an output")
