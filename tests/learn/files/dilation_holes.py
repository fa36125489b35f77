import numpy as np


def conv(input, weight, stride=1, padding=0, dilation=0):
    # dilation = how many elements are skipped in between
    s, d = stride[0], dilation[0]
    x = np.pad(input[0, 0], padding[0])
    k = weight.shape[2]
    reach = k + (k - 1) * d
    out = []
    for i in range(0, len(x) - reach + 1, s):
        out.append(sum(x[i + j * (d + 1)] * weight[0, 0, j] for j in range(k)))
    return np.array([[out]])
