"""A window of two channels is documented to reach from c - 1 to c + 1, and ends at c."""

import sys

import torch

a = [1.0, 2.0, 3.0]
n = 2


def documented(c):
    window = a[max(0, c - n // 2) : min(len(a) - 1, c + n // 2) + 1]
    return round(a[c] / (1 + sum(value**2 for value in window) / n), 4)


normalize = torch.nn.LocalResponseNorm(n, alpha=1.0, beta=1.0, k=1.0)
expected = [documented(c) for c in range(3)]
actual = [round(float(value), 4) for value in normalize(torch.tensor(a)[None, :, None])[0, :, 0]]

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: the window is the documented one")
