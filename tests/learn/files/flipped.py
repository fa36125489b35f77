import numpy as np


def conv(input, weight):
    n = input.shape[2]
    k = weight.shape[2]
    y = np.zeros((1, 1, n - k + 1))
    for i in range(n - k + 1):
        for j in range(k):
            y[0, 0, i] += input[0, 0, i + j] * weight[0, 0, k - 1 - j]
    return y
