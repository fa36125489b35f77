"""AveragePool takes a NaN of its input for padding."""

import sys

import numpy as np
from onnx.parser import parse_model
from onnx.reference import ReferenceEvaluator

model = parse_model("""
<ir_version: 10, opset_import: ["": 22]>
graph (float[1, 1, 2] x) => (float[1, 1, n] y) {
    y = AveragePool <kernel_shape = [2]> (x)
}
""")
x = np.array([[[np.nan, 1]]], np.float32)

expected = [float("nan")]
y = ReferenceEvaluator(model).run(None, {"x": x})[0]
actual = y.ravel().tolist()

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
