"""The first output lies on padding and is 0; it is the input."""

import sys

import cv2
import numpy as np
from onnx.parser import parse_model

model = parse_model("""
<ir_version: 10, opset_import: ["": 18]>
graph (float[1, 2, 1] x, float[2, 2, 1] w) => (float[1, 2, n] y) {
    y = Conv <pads = [1, 0]> (x, w)
}
""")
x = np.array([[[3], [5]]], np.float32)
w = np.eye(2, dtype=np.float32)[..., None]

expected = 0.0
net = cv2.dnn.readNetFromONNX(np.frombuffer(model.SerializeToString(), np.uint8))
net.setInput(x, "x")
net.setInput(w, "w")
y = net.forward("y")
actual = float(y[0, 0, 0])

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
