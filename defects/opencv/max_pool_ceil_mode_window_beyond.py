"""MaxPool under ceil_mode has an output for a window that starts past its input."""

import sys

import cv2
import numpy as np
from onnx.parser import parse_model

model = parse_model("""
<ir_version: 10, opset_import: ["": 22]>
graph (float[1, 1, 2] x) => (float[1, 1, n] y) {
    y = MaxPool <kernel_shape = [1], strides = [2], ceil_mode = 1> (x)
}
""")
x = np.array([[[1, 2]]], np.float32)

expected = [1.0]
net = cv2.dnn.readNetFromONNX(np.frombuffer(model.SerializeToString(), np.uint8))
net.setInput(x, "x")
y = net.forward("y")
actual = y.ravel().tolist()

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
