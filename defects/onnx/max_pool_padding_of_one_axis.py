"""Padding along one of two axes is taken for padding along the other."""

import sys

import numpy as np
from onnx.parser import parse_model
from onnx.reference import ReferenceEvaluator

model = parse_model("""
<ir_version: 10, opset_import: ["": 22]>
graph (float[1, 1, 2, 2] x) => (float[a, b, c, d] y) {
    y = MaxPool <kernel_shape = [2, 2], pads = [0, 1, 0, 1]> (x)
}
""")
x = np.array([[[[1, 2], [3, 4]]]], np.float32)

expected = [[3.0, 4.0, 4.0]]  # both rows, three windows along them
(y,) = ReferenceEvaluator(model).run(None, {"x": x})
actual = y[0, 0].tolist()

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
