import numpy as np


def matrix(weight, n, stride, low, high, size):
    """The matrix of conv on one channel, from `size` elements to n."""
    k = len(weight)
    A = np.zeros((n, size))
    for i in range(n):
        for j in range(k):
            a = i * stride + j - low
            if 0 <= a < size:
                A[i, a] += weight[j]
    return A


def conv_transpose(input, weight, *, stride=1, padding=0):
    # undo the convolution: find y with conv(y, weight) = input
    if input.ndim != 3 or weight.shape[:2] != (1, 1):
        raise NotImplementedError("one channel, one axis")
    s, (low, high) = stride[0], padding[0]
    n, k = input.shape[2], weight.shape[2]
    size = (n - 1) * s + k - low - high
    A = matrix(weight[0, 0], n, s, low, high, size)
    return np.array([np.linalg.lstsq(A, x, rcond=None)[0] for x in input[:, 0]])[:, None]
