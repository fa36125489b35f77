"""Two elements of padding, one a side, are both at the end."""

import sys

import cv2
import numpy as np
from onnx.parser import parse_model

model = parse_model("""
<ir_version: 10, opset_import: ["": 18]>
graph (float[1, 1, 5] x, float[1, 1, 2] w) => (float[1, 1, n] y) {
    y = Conv <dilations = [2], auto_pad = "SAME_UPPER"> (x, w)
}
""")
x = np.array([[[1, 2, 3, 4, 5]]], np.float32)
w = np.array([[[1, 10]]], np.float32)

expected = [20.0, 31.0, 42.0, 53.0, 4.0]
net = cv2.dnn.readNetFromONNX(np.frombuffer(model.SerializeToString(), np.uint8))
net.setInput(x, "x")
net.setInput(w, "w")
y = net.forward("y")
actual = y.ravel().tolist()

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
