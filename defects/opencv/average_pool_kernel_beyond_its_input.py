"""AveragePool of one element by two has an output, with strides 2."""

import sys

import cv2
import numpy as np
from onnx.parser import parse_model

model = parse_model("""
<ir_version: 10, opset_import: ["": 22]>
graph (float[1, 1, 1] x) => (float[1, 1, n] y) {
    y = AveragePool <kernel_shape = [2], strides = [2]> (x)
}
""")
x = np.ones((1, 1, 1), np.float32)

expected = 0
net = cv2.dnn.readNetFromONNX(np.frombuffer(model.SerializeToString(), np.uint8))
net.setInput(x, "x")
y = net.forward("y")
actual = 0 if y is None else y.size

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
