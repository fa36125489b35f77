"""Zero times infinity is NaN under the first weight of a kernel, and nothing under the second."""

import sys
import warnings

import numpy as np
from skimage.filters import correlate_sparse

warnings.simplefilter("ignore")  # of the product that is NaN
expected = correlate_sparse(np.array([np.inf, 1.0]), np.zeros(2), "valid").tolist()
actual = correlate_sparse(np.array([1.0, np.inf]), np.zeros(2), "valid").tolist()

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: both weights are multiplied, or neither")
