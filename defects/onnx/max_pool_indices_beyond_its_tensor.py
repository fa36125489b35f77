"""The index of the last of four elements is 6."""

import sys

import numpy as np
from onnx.parser import parse_model
from onnx.reference import ReferenceEvaluator

model = parse_model("""
<ir_version: 10, opset_import: ["": 22]>
graph (float[1, 1, 2, 2] x) => (float[a, b, c, d] y, int64[e, f, g, h] indices) {
    y, indices = MaxPool <kernel_shape = [2, 2]> (x)
}
""")
x = np.array([[[[1, 2], [3, 4]]]], np.float32)

expected = [3]
_, indices = ReferenceEvaluator(model).run(None, {"x": x})
actual = indices.ravel().tolist()

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
