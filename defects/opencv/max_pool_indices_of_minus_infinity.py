"""With indices, the maximum of -infinity, or of the lowest finite number, is 0."""

import sys

import cv2
import numpy as np
from onnx.parser import parse_model

model = parse_model("""
<ir_version: 10, opset_import: ["": 18]>
graph (float[1, 1, 1, 3] x) => (float[1, 1, 1, 3] y, int64[1, 1, 1, 3] i) {
    y, i = MaxPool <kernel_shape = [1, 1]> (x)
}
""")
x = np.array([[[[-np.inf, np.finfo(np.float32).min, -1]]]], np.float32)

expected = x.ravel().tolist()
net = cv2.dnn.readNetFromONNX(np.frombuffer(model.SerializeToString(), np.uint8))
net.setInput(x, "x")
y, i = net.forward(["y", "i"])
actual = y.ravel().tolist()

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
