"""Zero times infinity is NaN for a kernel of one zero, and 0 for a kernel of two."""

import sys

import cv2
import numpy as np

image = np.array([[-np.inf]], np.float32)


def filtered(size):
    kernel = np.zeros((1, size), np.float32)
    return cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_CONSTANT).ravel().tolist()


expected = filtered(1)
actual = filtered(2)

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
