"""One NaN reaches the 5000 outputs that read it, or by FFT all of them."""

import sys
import warnings

import numpy as np
from scipy import signal

warnings.simplefilter("ignore")  # SciPy says that NaN is to be expected
x = np.ones(5000)
x[0] = np.nan
w = np.ones(5000)
expected = int(np.isnan(signal.convolve(x, w, method="direct")).sum())
actual = int(np.isnan(signal.convolve(x, w)).sum())

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
