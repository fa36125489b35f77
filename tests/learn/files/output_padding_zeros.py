import numpy as np


def conv_transpose(input, weight, *, stride=1, padding=0, output_padding=0):
    if input.ndim != 3:
        raise NotImplementedError("one axis")
    s, (low, high), more = stride[0], padding[0], output_padding[0]
    N, C, n = input.shape
    O, k = weight.shape[1:]
    y = np.zeros((N, O, (n - 1) * s + k))
    for i in range(n):
        for j in range(k):
            y[:, :, i * s + j] += input[:, :, i] @ weight[:, :, j]
    y = y[:, :, low : y.shape[2] - high]
    return np.concatenate([y, np.zeros((N, O, more))], axis=2)
