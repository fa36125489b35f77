"""NaN where an output lies exactly on an element beside an infinity, or on the infinity."""

import sys
import warnings

import numpy as np
from skimage.transform import resize

warnings.simplefilter("ignore")  # of the product that is NaN
expected = [0.0, 0.0, np.inf, np.inf, np.inf, np.inf]
row = np.array([0.0, np.inf])
actual = resize(row, (6,), order=1, mode="edge", anti_aliasing=False).tolist()

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: infinity has a weight, or none")
