"""What hangs over the end is counted as if it were padding, of which there is none."""

import sys

import cv2
import numpy as np
from onnx.parser import parse_model

model = parse_model("""
<ir_version: 10, opset_import: ["": 18]>
graph (float[1, 1, 3] x) => (float[1, 1, n] y) {
    y = AveragePool <kernel_shape = [2], strides = [2], ceil_mode = 1, count_include_pad = 1> (x)
}
""")
x = np.array([[[0, 1, 1]]], np.float32)

expected = [0.5, 1.0]
net = cv2.dnn.readNetFromONNX(np.frombuffer(model.SerializeToString(), np.uint8))
net.setInput(x, "x")
actual = net.forward("y").ravel().tolist()

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
