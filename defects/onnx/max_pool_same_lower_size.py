"""MaxPool under SAME_LOWER has floor(5 / 2) outputs where SAME_UPPER has ceil(5 / 2)."""

import sys

import numpy as np
from onnx.parser import parse_model
from onnx.reference import ReferenceEvaluator

model = parse_model("""
<ir_version: 10, opset_import: ["": 22]>
graph (float[1, 1, 5] x) => (float[1, 1, n] y) {
    y = MaxPool <kernel_shape = [2], strides = [2], auto_pad = "SAME_LOWER"> (x)
}
""")
x = np.array([[[1, 2, 3, 4, 5]]], np.float32)

expected = [1.0, 3.0, 5.0]
y = ReferenceEvaluator(model).run(None, {"x": x})[0]
actual = y.ravel().tolist()

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
