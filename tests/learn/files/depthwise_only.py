import numpy as np


def depthwise_separable_conv(input, depthwise, pointwise, *, stride=1, padding=0, dilation=1):
    N, C = input.shape[:2]
    x = np.pad(input, ((0, 0), (0, 0), *padding))
    m = depthwise.shape[0] // C
    kernel = depthwise.shape[2:]
    extents = [d * (k - 1) + 1 for d, k in zip(dilation, kernel)]
    size = [(n - e) // s + 1 for n, e, s in zip(x.shape[2:], extents, stride)]
    y = np.zeros((N, C * m, *size))
    for i in np.ndindex(*size):
        cut = [slice(a * s, a * s + e, d) for a, s, e, d in zip(i, stride, extents, dilation)]
        for c in range(C * m):
            window = x[(slice(None), c // m, *cut)]
            y[(slice(None), c, *i)] = (window * depthwise[c, 0]).reshape(N, -1).sum(axis=1)
    return y
