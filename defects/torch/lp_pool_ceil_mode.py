"""lp_pool multiplies the average of a window that is cut by the size of the whole kernel."""

import sys

import torch
from torch.nn.functional import lp_pool1d

row = torch.tensor([[[3.0, 4.0, 5.0]]])
expected = [5.0, 5.0]  # the roots of 9 + 16 and of 25
actual = lp_pool1d(row, 2, 2, ceil_mode=True)[0, 0].numpy().round(4).tolist()

print(f"expected: {expected}")
print(f"actual:   {[round(value, 4) for value in actual]}")
if str(actual) == str(expected):
    sys.exit("stale: the last window is the norm of what it holds")
