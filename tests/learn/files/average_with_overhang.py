import math

import numpy as np


def average_pool(
    input, *, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=False
):
    if input.ndim != 3:
        raise NotImplementedError("one axis")
    k, s, (low, high) = kernel_size[0], stride[0], padding[0]
    n = input.shape[2]
    q = (n + low + high - k) / s
    size = (math.ceil(q) if ceil_mode else math.floor(q)) + 1
    if ceil_mode and (size - 1) * s >= n + low:
        size -= 1
    y = np.zeros((*input.shape[:2], size))
    for i in range(size):
        first = max(i * s - low, 0)
        last = min(i * s - low + k, n)
        total = input[:, :, first:last].sum(axis=2)
        y[:, :, i] = total / (k if count_include_pad else last - first)
    return y
