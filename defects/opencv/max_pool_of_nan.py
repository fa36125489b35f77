"""The maximum of NaN and 0 is 0; of 0 and NaN it is NaN."""

import sys

import cv2
import numpy as np
from onnx.parser import parse_model

model = parse_model("""
<ir_version: 10, opset_import: ["": 18]>
graph (float[1, 1, 4] x) => (float[1, 1, n] y) {
    y = MaxPool <kernel_shape = [2], strides = [2]> (x)
}
""")
x = np.array([[[np.nan, 0, 0, np.nan]]], np.float32)

expected = [float("nan"), float("nan")]
net = cv2.dnn.readNetFromONNX(np.frombuffer(model.SerializeToString(), np.uint8))
net.setInput(x, "x")
y = net.forward("y")
actual = y.ravel().tolist()

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
