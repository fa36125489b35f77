import numpy as np


def conv_transpose(input, weight, *, stride=1, padding=0, output_padding=0):
    # the direct convolution: zeros in between, padding k - 1 - p, then slide the kernel
    if input.ndim != 3:
        raise NotImplementedError("one axis")
    s, (low, high) = stride[0], padding[0]
    more = output_padding[0] if output_padding else 0
    N, C, n = input.shape
    O, k = weight.shape[1:]
    spread = np.zeros((N, C, (n - 1) * s + 1))
    spread[:, :, ::s] = input
    x = np.pad(spread, ((0, 0), (0, 0), (k - 1, k - 1 + more)))
    size = x.shape[2] - k + 1
    y = np.zeros((N, O, size))
    for i in range(size):
        y[:, :, i] = np.einsum("ncj,coj->no", x[:, :, i : i + k], weight)
    return y[:, :, low : size - high]
