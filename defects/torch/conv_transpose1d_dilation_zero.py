"""conv_transpose1d refuses dilation 0 for one item, and takes it for two, with a kernel of one."""

import sys

import torch
from torch.nn.functional import conv_transpose1d


def outcome(items):
    try:
        result = conv_transpose1d(torch.ones(items, 2, 3), torch.ones(2, 3, 1), dilation=0)
    except RuntimeError as error:
        return f"RuntimeError: {str(error).partition(',')[0]}"
    return f"shape {tuple(result.shape)}"


expected = outcome(1)
actual = outcome(2)

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: dilation 0 is refused whatever the batch")
