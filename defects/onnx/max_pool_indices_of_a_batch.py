"""The indices of MaxPool with stride 1 begin anew with every item of the batch."""

import sys

import numpy as np
from onnx.parser import parse_model
from onnx.reference import ReferenceEvaluator

model = parse_model("""
<ir_version: 10, opset_import: ["": 22]>
graph (float[2, 1, 3] x) => (float[2, 1, n] y, int64[2, 1, n] i) {
    y, i = MaxPool <kernel_shape = [2]> (x)
}
""")
x = np.arange(1, 7, dtype=np.float32).reshape(2, 1, 3)

expected = [1, 2, 4, 5]
y = ReferenceEvaluator(model).run(None, {"x": x})[1]
actual = y.ravel().tolist()

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
