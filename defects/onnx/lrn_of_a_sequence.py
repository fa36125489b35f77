"""The reference evaluator of LRN refuses an input of three axes."""

import sys

import numpy as np
from onnx.parser import parse_model
from onnx.reference import ReferenceEvaluator

model = parse_model("""
<ir_version: 10, opset_import: ["": 13]>
graph (float[1, 1, 1] x) => (float[1, 1, 1] y) {
    y = LRN <size = 1, alpha = 1.0, beta = 1.0, bias = 1.0> (x)
}
""")
x = np.ones((1, 1, 1), np.float32)

expected = [0.5]
try:
    y = ReferenceEvaluator(model).run(None, {"x": x})[0]
    actual = y.ravel().tolist()
except RuntimeError as error:
    actual = f"RuntimeError: {error}"

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
