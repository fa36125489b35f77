"""MaxPool with auto_pad and stride 1 fails on one spatial axis."""

import sys

import numpy as np
from onnx.parser import parse_model
from onnx.reference import ReferenceEvaluator

model = parse_model("""
<ir_version: 10, opset_import: ["": 22]>
graph (float[1, 1, 4] x) => (float[1, 1, n] y) {
    y = MaxPool <kernel_shape = [2], auto_pad = "SAME_UPPER"> (x)
}
""")
x = np.array([[[1, 2, 3, 4]]], np.float32)

expected = [2.0, 3.0, 4.0, 4.0]
try:
    y = ReferenceEvaluator(model).run(None, {"x": x})[0]
    actual = y.ravel().tolist()
except IndexError as error:
    actual = f"IndexError: {error}"

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
