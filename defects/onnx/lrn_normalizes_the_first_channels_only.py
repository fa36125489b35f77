"""The reference evaluator of LRN sums over as many channels as there are items in the batch."""

import sys

import numpy as np
from onnx.parser import parse_model
from onnx.reference import ReferenceEvaluator

model = parse_model("""
<ir_version: 10, opset_import: ["": 13]>
graph (float[1, 3, 1, 1] x) => (float[1, 3, 1, 1] y) {
    y = LRN <size = 1, alpha = 1.0, beta = 1.0, bias = 1.0> (x)
}
""")
x = np.arange(1, 4, dtype=np.float32).reshape(1, 3, 1, 1)

expected = [round(float(value / (1 + value**2)), 4) for value in x.ravel()]
y = ReferenceEvaluator(model).run(None, {"x": x})[0]
actual = [round(float(v), 4) for v in y.ravel()]

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: every channel is normalized")
