"""Padding of -1 is taken for a cut of the input, and no cv2.error is raised."""

import sys

import cv2
import numpy as np
from onnx.parser import parse_model

model = parse_model("""
<ir_version: 10, opset_import: ["": 18]>
graph (float[1, 1, 2, 2] x) => (float[1, 1, n, m] y, int64[1, 1, n, m] i) {
    y, i = MaxPool <kernel_shape = [1, 1], strides = [2, 2], pads = [-1, -1, -1, -1]> (x)
}
""")

expected = "cv2.error"
try:
    net = cv2.dnn.readNetFromONNX(np.frombuffer(model.SerializeToString(), np.uint8))
    net.setInput(np.array([[[[1, 2], [3, 4]]]], np.float32), "x")
    actual = net.forward(["y", "i"])[0][0, 0].tolist()
except cv2.error:
    actual = "cv2.error"

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
