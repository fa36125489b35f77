import numpy as np


def average_pool(input, *, kernel_size, stride=None, padding=0):
    x = np.pad(input, ((0, 0), (0, 0), *padding))
    size = [(n - k) // s + 1 for n, k, s in zip(x.shape[2:], kernel_size, stride)]
    y = np.zeros((*input.shape[:2], *size))
    for i in np.ndindex(*size):
        cut = tuple(slice(a * s, a * s + k) for a, s, k in zip(i, stride, kernel_size))
        y[(..., *i)] = x[(..., *cut)].mean(axis=tuple(range(2, x.ndim)))
    return y
