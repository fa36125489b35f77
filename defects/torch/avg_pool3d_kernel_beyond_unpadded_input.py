"""avg_pool3d compares the kernel with the input before it is padded; avg_pool2d does not."""

import sys

import torch
from torch.nn.functional import avg_pool2d, avg_pool3d


def shape(function, *arguments):
    try:
        return tuple(function(*arguments).shape)
    except RuntimeError as error:
        return f"RuntimeError: {error}"


plane = shape(avg_pool2d, torch.zeros(1, 1, 1, 1), (2, 1), 1, (1, 0))
expected = (1, 1, *plane[2:], 1)
actual = shape(avg_pool3d, torch.zeros(1, 1, 1, 1, 1), (2, 1, 1), 1, (1, 0, 0))

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: avg_pool3d takes what avg_pool2d takes")
