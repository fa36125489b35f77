"""AveragePool under ceil_mode computes a window that starts in the right padding."""

import sys

import numpy as np
from onnx.parser import parse_model
from onnx.reference import ReferenceEvaluator

model = parse_model("""
<ir_version: 10, opset_import: ["": 22]>
graph (float[1, 1, 1] x) => (float[1, 1, n] y) {
    y = AveragePool <kernel_shape = [1], pads = [0, 1], ceil_mode = 1> (x)
}
""")
x = np.array([[[1]]], np.float32)

expected = [1.0]
try:
    y = ReferenceEvaluator(model).run(None, {"x": x})[0]
    actual = y.ravel().tolist()
except IndexError as error:
    actual = f"IndexError: {error}"

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
