"""With padding on the left alone, the first window of ceil_mode misses the element it holds."""

import sys
import warnings

import numpy as np
from onnx.parser import parse_model
from onnx.reference import ReferenceEvaluator

warnings.simplefilter("ignore")  # of the mean of nothing

model = parse_model("""
<ir_version: 10, opset_import: ["": 22]>
graph (float[1, 1, 2] x) => (float[1, 1, n] y) {
    y = AveragePool <kernel_shape = [3], strides = [3], pads = [2, 0], ceil_mode = 1> (x)
}
""")
x = np.array([[[1, 4]]], np.float32)

expected = [1.0, 4.0]
y = ReferenceEvaluator(model).run(None, {"x": x})[0]
actual = y.ravel().tolist()

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
