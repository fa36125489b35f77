"""ConvTranspose fails in groups that have one input channel and two output channels each."""

import sys

import numpy as np
from onnx.parser import parse_model
from onnx.reference import ReferenceEvaluator

model = parse_model("""
<ir_version: 10, opset_import: ["": 22]>
graph (float[1, 2, 2] x, float[2, 2, 1] w) => (float[1, 4, n] y) {
    y = ConvTranspose <group = 2> (x, w)
}
""")
x = np.ones((1, 2, 2), np.float32)
w = np.ones((2, 2, 1), np.float32)

expected = [1.0] * 8
try:
    y = ReferenceEvaluator(model).run(None, {"x": x, "w": w})[0]
    actual = y.ravel().tolist()
except ValueError as error:
    actual = f"ValueError: {str(error).partition(',')[0]}"

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
