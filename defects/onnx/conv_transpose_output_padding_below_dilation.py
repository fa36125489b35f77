"""ConvTranspose with output_padding 1, stride 1 and dilation 2 fails."""

import sys

import numpy as np
from onnx.parser import parse_model
from onnx.reference import ReferenceEvaluator

model = parse_model("""
<ir_version: 10, opset_import: ["": 22]>
graph (float[1, 1, 2] x, float[1, 1, 2] w) => (float[1, 1, n] y) {
    y = ConvTranspose <dilations = [2], output_padding = [1]> (x, w)
}
""")
x = np.array([[[1, 2]]], np.float32)
w = np.array([[[1, 1]]], np.float32)

expected = [1.0, 2.0, 1.0, 2.0, 0.0]
try:
    y = ReferenceEvaluator(model).run(None, {"x": x, "w": w})[0]
    actual = y.ravel().tolist()
except ValueError as error:
    actual = f"ValueError: {str(error).partition(',')[0]}"

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
