"""MaxPool with auto_pad SAME_LOWER pads at the end."""

import sys

import cv2
import numpy as np
from onnx.parser import parse_model

model = parse_model("""
<ir_version: 10, opset_import: ["": 18]>
graph (float[1, 1, 4] x) => (float[1, 1, n] y) {
    y = MaxPool <kernel_shape = [2], auto_pad = "SAME_LOWER"> (x)
}
""")
x = np.array([[[1, 2, 3, 4]]], np.float32)

expected = [1.0, 2.0, 3.0, 4.0]
net = cv2.dnn.readNetFromONNX(np.frombuffer(model.SerializeToString(), np.uint8))
net.setInput(x, "x")
y = net.forward("y")
actual = y.ravel().tolist()

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
