"""The gradient of a power-average pool at zero is documented as zero, and is NaN below p = 1."""

import sys

import torch
from torch.nn.functional import lp_pool1d

row = torch.zeros(1, 1, 1, requires_grad=True)
lp_pool1d(row, 0.5, 1).sum().backward()

expected = [0.0]
actual = row.grad.ravel().tolist()

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: the gradient at zero is zero")
