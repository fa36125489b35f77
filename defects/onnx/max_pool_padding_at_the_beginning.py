"""Padding at the beginning of a sequence is too much for MaxPool with stride 1."""

import sys

import numpy as np
from onnx.parser import parse_model
from onnx.reference import ReferenceEvaluator

model = parse_model("""
<ir_version: 10, opset_import: ["": 22]>
graph (float[1, 1, 3] x) => (float[1, 1, n] y) {
    y = MaxPool <kernel_shape = [2], pads = [1, 0]> (x)
}
""")
x = np.array([[[0, 1, 2]]], np.float32)

expected = [0.0, 1.0, 2.0]
try:
    (y,) = ReferenceEvaluator(model).run(None, {"x": x})
    actual = y.ravel().tolist()
except IndexError as error:
    actual = f"IndexError: {error}"

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
