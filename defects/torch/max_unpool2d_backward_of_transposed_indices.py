"""The backward pass of max_unpool2d views its indices flat, which a transposed tensor forbids."""

import sys

import torch
from torch.nn.functional import max_unpool2d


def gradient(indices):
    values = torch.ones(1, 1, 2, 2, requires_grad=True)
    try:
        max_unpool2d(values, indices, 2).sum().backward()
    except RuntimeError as error:
        return f"RuntimeError: {str(error).partition('(')[0].strip()}"
    return values.grad[0, 0].tolist()


indices = torch.arange(4).reshape(2, 2).T[None, None]
expected = gradient(indices.contiguous())
actual = gradient(indices)

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: the gradient does not depend on the layout of the indices")
