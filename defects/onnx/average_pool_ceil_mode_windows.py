"""Under ceil_mode the first of two windows misses its last element, and so does the second."""

import sys

import numpy as np
from onnx.parser import parse_model
from onnx.reference import ReferenceEvaluator

model = parse_model("""
<ir_version: 10, opset_import: ["": 22]>
graph (float[1, 1, 4] x) => (float[1, 1, n] y) {
    y = AveragePool <kernel_shape = [3], strides = [3], ceil_mode = 1> (x)
}
""")
x = np.array([[[1, 4, 10, 16]]], np.float32)

expected = [5.0, 16.0]
y = ReferenceEvaluator(model).run(None, {"x": x})[0]
actual = y.ravel().tolist()

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
