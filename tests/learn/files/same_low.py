import numpy as np


def conv(input, weight, stride=1, padding=0):
    s = stride[0]
    p = padding[0][0]
    n, k = input.shape[2], weight.shape[2]
    size = (n + 2 * p - k) // s + 1
    y = np.zeros((1, 1, size))
    for i in range(size):
        for j in range(k):
            a = i * s + j - p
            if 0 <= a < n:
                y[0, 0, i] += input[0, 0, a] * weight[0, 0, j]
    return y
