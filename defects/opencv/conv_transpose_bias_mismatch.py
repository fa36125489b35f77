"""A bias of two elements is taken for one channel."""

import sys

import cv2
import numpy as np
from onnx.parser import parse_model

model = parse_model("""
<ir_version: 10, opset_import: ["": 18]>
graph (float[1, 1, 3] x, float[1, 1, 1] w, float[2] b) => (float[1, 1, n] y) {
    y = ConvTranspose (x, w, b)
}
""")
x = np.ones((1, 1, 3), np.float32)
w = np.ones((1, 1, 1), np.float32)
b = np.ones(2, np.float32)

expected = "cv2.error"
try:
    net = cv2.dnn.readNetFromONNX(np.frombuffer(model.SerializeToString(), np.uint8))
    net.setInput(x, "x")
    net.setInput(w, "w")
    net.setInput(b, "b")
    y = net.forward("y")
    actual = f"shape {y.shape}"
except cv2.error:
    actual = "cv2.error"

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
