"""An infinity in the second group makes the first NaN."""

import sys

import cv2
import numpy as np
from onnx.parser import parse_model

model = parse_model("""
<ir_version: 10, opset_import: ["": 18]>
graph (float[1, 2, 1] x, float[2, 1, 1] w) => (float[1, 2, n] y) {
    y = ConvTranspose <group = 2> (x, w)
}
""")
x = np.array([[[0], [-np.inf]]], np.float32)
w = np.ones((2, 1, 1), np.float32)

expected = [0.0, float("-inf")]
net = cv2.dnn.readNetFromONNX(np.frombuffer(model.SerializeToString(), np.uint8))
net.setInput(x, "x")
net.setInput(w, "w")
y = net.forward("y")
actual = y.ravel().tolist()

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
