"""ConvTranspose with an output_shape of one element less than all fails."""

import sys

import numpy as np
from onnx.parser import parse_model
from onnx.reference import ReferenceEvaluator

model = parse_model("""
<ir_version: 10, opset_import: ["": 22]>
graph (float[1, 1, 4] x, float[1, 1, 3] w) => (float[1, 1, n] y) {
    y = ConvTranspose <strides = [2], output_shape = [8]> (x, w)
}
""")
x = np.array([[[1, 2, 3, 4]]], np.float32)
w = np.array([[[1, 2, 3]]], np.float32)

expected = [2.0, 5.0, 4.0, 9.0, 6.0, 13.0, 8.0, 12.0]
try:
    y = ReferenceEvaluator(model).run(None, {"x": x, "w": w})[0]
    actual = y.ravel().tolist()
except ValueError as error:
    actual = f"ValueError: {str(error).partition(',')[0]}"

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
