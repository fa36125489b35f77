import numpy as np


def conv(input, weight, stride=1, padding=0, dilation=1):
    s, d = stride[0], dilation[0]
    low, high = padding[0]
    x = [0.0] * low + list(input[0, 0]) + [0.0] * high
    w = weight[0, 0]
    size = (len(x) - d * len(w)) // s + 1
    y = np.zeros((1, 1, size))
    for i in range(size):
        for j in range(len(w)):
            y[0, 0, i] += x[i * s + j * d] * w[j]
    return y
