import numpy as np


def property_shift(conv, input, weight, stride, shift):
    # convolution is translation invariant
    moved = np.roll(input, stride * shift, axis=2)
    return np.array_equal(conv(moved, weight, stride=stride), conv(input, weight, stride=stride))
