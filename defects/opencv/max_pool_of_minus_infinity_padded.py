"""The maximum of -infinity and a place in the padding is the lowest finite number."""

import sys

import cv2
import numpy as np
from onnx.parser import parse_model

model = parse_model("""
<ir_version: 10, opset_import: ["": 18]>
graph (float[1, 1, 1] x) => (float[1, 1, 1] y) {
    y = MaxPool <kernel_shape = [2], pads = [1, 0]> (x)
}
""")

expected = -np.inf
net = cv2.dnn.readNetFromONNX(np.frombuffer(model.SerializeToString(), np.uint8))
net.setInput(np.full((1, 1, 1), -np.inf, np.float32), "x")
y = net.forward("y")
actual = float(y.ravel()[0])

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
