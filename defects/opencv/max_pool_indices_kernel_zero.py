"""A kernel without elements has four outputs from one element, where indices are asked for."""

import sys

import cv2
import numpy as np
from onnx.parser import parse_model

model = parse_model("""
<ir_version: 10, opset_import: ["": 18]>
graph (float[1, 1, 1, 1] x) => (float[a, b, c, d] y, int64[e, f, g, h] i) {
    y, i = MaxPool <kernel_shape = [0, 0]> (x)
}
""")

expected = "cv2.error"
try:
    net = cv2.dnn.readNetFromONNX(np.frombuffer(model.SerializeToString(), np.uint8))
    net.setInput(np.ones((1, 1, 1, 1), np.float32), "x")
    y, _ = net.forward(["y", "i"])
    actual = f"shape {y.shape}"
except cv2.error:
    actual = "cv2.error"

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
