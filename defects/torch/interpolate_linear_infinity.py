"""The first of three aligned samples of 1 and infinity is NaN, and lies on the 1."""

import sys

import torch
from torch.nn.functional import interpolate

row = torch.tensor([[[1.0, float("inf")]]])
expected = [1.0, float("inf"), float("inf")]
actual = interpolate(row, size=3, mode="linear", align_corners=True)[0, 0].tolist()

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
