import numpy as np


def property_transposed(conv, conv_transpose, x, y, weight, stride, padding):
    there = conv(x, weight, stride=stride, padding=padding)
    back = conv_transpose(there, weight, stride=stride, padding=padding)
    return np.array_equal(back, x)
