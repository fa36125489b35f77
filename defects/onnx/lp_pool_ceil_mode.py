"""LpPool multiplies the average of a window that is cut by the size of the whole kernel."""

import sys

import numpy as np
from onnx.parser import parse_model
from onnx.reference import ReferenceEvaluator

model = parse_model("""
<ir_version: 10, opset_import: ["": 22]>
graph (float[1, 1, 3] x) => (float[1, 1, n] y) {
    y = LpPool <kernel_shape = [2], strides = [2], ceil_mode = 1> (x)
}
""")
x = np.array([[[3, 4, 5]]], np.float32)

expected = [5.0, 5.0]  # the roots of 9 + 16 and of 25
y = ReferenceEvaluator(model).run(None, {"x": x})[0]
actual = [round(float(v), 4) for v in y.ravel()]

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
