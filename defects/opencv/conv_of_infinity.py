"""One times infinity is 3.4e38, and so is one times NaN."""

import sys

import cv2
import numpy as np
from onnx.parser import parse_model

model = parse_model("""
<ir_version: 10, opset_import: ["": 18]>
graph (float[1, 1, 3] x, float[1, 1, 1] w) => (float[1, 1, n] y) {
    y = Conv (x, w)
}
""")
x = np.array([[[np.inf, np.nan, -np.inf]]], np.float32)
w = np.array([[[1]]], np.float32)

expected = [float("inf"), float("nan"), float("-inf")]
net = cv2.dnn.readNetFromONNX(np.frombuffer(model.SerializeToString(), np.uint8))
net.setInput(x, "x")
net.setInput(w, "w")
y = net.forward("y")
actual = y.ravel().tolist()

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
