"""One window, of NaN and 0, has the maximum NaN with strides 2 and 0 with strides 1."""

import sys

import numpy as np
from onnx.parser import parse_model
from onnx.reference import ReferenceEvaluator

model = parse_model("""
<ir_version: 10, opset_import: ["": 22]>
graph (float[1, 1, 2] x) => (float[1, 1, n] y) {
    y = MaxPool <kernel_shape = [2]> (x)
}
""")
x = np.array([[[np.nan, 0]]], np.float32)
strided = parse_model("""
<ir_version: 10, opset_import: ["": 22]>
graph (float[1, 1, 2] x) => (float[1, 1, n] y) {
    y = MaxPool <kernel_shape = [2], strides = [2]> (x)
}
""")

expected = [float(ReferenceEvaluator(strided).run(None, {"x": x})[0].item())]
y = ReferenceEvaluator(model).run(None, {"x": x})[0]
actual = y.ravel().tolist()

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
