"""MaxPool by 3 of three elements and two of padding has three outputs, not one."""

import sys

import numpy as np
from onnx.parser import parse_model
from onnx.reference import ReferenceEvaluator

model = parse_model("""
<ir_version: 10, opset_import: ["": 22]>
graph (float[1, 1, 3] x) => (float[1, 1, n] y) {
    y = MaxPool <kernel_shape = [3], pads = [0, 2]> (x)
}
""")
x = np.array([[[1, 2, 3]]], np.float32)

expected = [3.0, 3.0, 3.0]
y = ReferenceEvaluator(model).run(None, {"x": x})[0]
actual = y.ravel().tolist()

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
