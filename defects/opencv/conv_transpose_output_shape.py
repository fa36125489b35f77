"""An output_shape of six gives eight outputs."""

import sys

import cv2
import numpy as np
from onnx.parser import parse_model

model = parse_model("""
<ir_version: 10, opset_import: ["": 18]>
graph (float[1, 1, 3] x, float[1, 1, 3] w) => (float[1, 1, n] y) {
    y = ConvTranspose <strides = [2], output_shape = [6]> (x, w)
}
""")
x = np.array([[[1, 2, 3]]], np.float32)
w = np.array([[[1, 10, 100]]], np.float32)

expected = 6
net = cv2.dnn.readNetFromONNX(np.frombuffer(model.SerializeToString(), np.uint8))
net.setInput(x, "x")
net.setInput(w, "w")
y = net.forward("y")
actual = y.size

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
