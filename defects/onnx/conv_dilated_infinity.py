"""An infinity that no tap of the dilated kernel reads makes the output NaN."""

import sys
import warnings

import numpy as np
from onnx.parser import parse_model
from onnx.reference import ReferenceEvaluator

warnings.simplefilter("ignore")  # of zero times infinity

model = parse_model("""
<ir_version: 10, opset_import: ["": 22]>
graph (float[1, 1, 3] x, float[1, 1, 2] w) => (float[1, 1, n] y) {
    y = Conv <dilations = [2]> (x, w)
}
""")
x = np.array([[[0, np.inf, 0]]], np.float32)
w = np.array([[[1, 1]]], np.float32)

expected = [0.0]
y = ReferenceEvaluator(model).run(None, {"x": x, "w": w})[0]
actual = y.ravel().tolist()

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
