import numpy as np


def conv(input, weight, stride=1):
    s = stride[0]
    n, k = input.shape[2], weight.shape[2]
    size = (n - k) / s + 1
    return np.array([[[np.dot(input[0, 0, i * s : i * s + k], weight[0, 0]) for i in range(size)]]])
