"""The third root of -1 - 1 is documented, and NaN is returned."""

import sys

import torch
from torch.nn.functional import lp_pool1d

expected = [round(-(2 ** (1 / 3)), 4)]
actual = lp_pool1d(torch.tensor([[[-1.0, -1.0]]]), 3, 2)[0, 0].numpy().round(4).tolist()

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
