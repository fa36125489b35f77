import numpy as np


def conv(input, weight, stride=1):
    s = stride[0]
    n, k = input.shape[2], weight.shape[2]
    size = round((n - k) / s) + 1
    y = np.zeros((1, 1, size))
    for i in range(size):
        for j in range(k):
            y[0, 0, i] += input[0, 0, i * s + j] * weight[0, 0, j]
    return y
