"""The index of the second item is that within the item."""

import sys

import cv2
import numpy as np
from onnx.parser import parse_model

model = parse_model("""
<ir_version: 10, opset_import: ["": 18]>
graph (float[2, 1, 2, 2] x) => (float[2, 1, h, w] y, int64[2, 1, h, w] i) {
    y, i = MaxPool <kernel_shape = [2, 2]> (x)
}
""")
x = np.ones((2, 1, 2, 2), np.float32)

expected = [0, 4]
net = cv2.dnn.readNetFromONNX(np.frombuffer(model.SerializeToString(), np.uint8))
net.setInput(x, "x")
_, y = net.forward(["y", "i"])
actual = y.ravel().tolist()

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
