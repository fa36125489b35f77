import numpy as np


def max_pool_vjp(cotangent, input, *, kernel_size, stride=None, padding=0, dilation=1):
    low = -np.inf
    x = np.pad(input, ((0, 0), (0, 0), *padding), constant_values=low)
    dx = np.zeros_like(x)
    size = cotangent.shape[2:]
    for i in np.ndindex(*size):
        cut = tuple(
            slice(a * s, a * s + d * (k - 1) + 1, d)
            for a, s, k, d in zip(i, stride, kernel_size, dilation)
        )
        window = x[(..., *cut)]
        axes = tuple(range(2, x.ndim))
        mask = window == window.max(axis=axes, keepdims=True)
        g = cotangent[(..., *i)].reshape(*x.shape[:2], *(1,) * len(size))
        dx[(..., *cut)] += mask * g
    keep = tuple(slice(p[0], p[0] + n) for p, n in zip(padding, input.shape[2:]))
    return (dx[(..., *keep)],)
