"""LRN of an input of three axes is refused."""

import sys

import numpy as np
import onnxruntime
from onnx.parser import parse_model

model = parse_model("""
<ir_version: 10, opset_import: ["": 13]>
graph (float[1, 1, 1] x) => (float[1, 1, 1] y) {
    y = LRN <size = 1, alpha = 1.0, beta = 1.0, bias = 1.0> (x)
}
""")
x = np.ones((1, 1, 1), np.float32)
options = onnxruntime.SessionOptions()
options.log_severity_level = 4

expected = [0.5]
try:
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    y = session.run(None, {"x": x})[0]
    actual = y.ravel().tolist()
except Exception as error:
    actual = f"{type(error).__name__}: {str(error).rpartition('] ')[2].strip()}"

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
