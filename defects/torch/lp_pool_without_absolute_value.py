"""The norm of -1 with p = 1 is 1; the documented sum is -1."""

import sys

import torch
from torch.nn.functional import lp_pool1d

expected = [1.0]
actual = lp_pool1d(torch.tensor([[[-1.0]]]), 1, 1)[0, 0].tolist()

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
