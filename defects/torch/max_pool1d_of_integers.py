"""max_pool1d of integers works with return_indices=True alone; max_pool2d works either way."""

import sys

import torch
from torch.nn.functional import max_pool1d, max_pool2d

row = torch.tensor([[[1, 2, 3]]])
expected = max_pool2d(row[:, :, None], (1, 2), 1)[0, 0, 0].tolist()
assert max_pool1d(row, 2, 1, return_indices=True)[0][0, 0].tolist() == expected
try:
    actual = max_pool1d(row, 2, 1)[0, 0].tolist()
except NotImplementedError as error:
    actual = f"NotImplementedError: {error}"

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
