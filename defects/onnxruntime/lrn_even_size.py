"""LRN over two channels is refused."""

import sys

import numpy as np
import onnxruntime
from onnx.parser import parse_model

model = parse_model("""
<ir_version: 10, opset_import: ["": 13]>
graph (float[1, 3, 1, 1] x) => (float[1, 3, 1, 1] y) {
    y = LRN <size = 2, alpha = 2.0, beta = 1.0, bias = 1.0> (x)
}
""")
x = np.arange(1, 4, dtype=np.float32).reshape(1, 3, 1, 1)
options = onnxruntime.SessionOptions()
options.log_severity_level = 4

expected = [0.1667, 0.1429, 0.3]  # divided by 1 + 1 + 4, 1 + 4 + 9 and 1 + 9
try:
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    y = session.run(None, {"x": x})[0]
    actual = [round(float(v), 4) for v in y.ravel()]
except Exception as error:
    actual = f"{type(error).__name__}: {str(error).rpartition('] ')[2].strip()}"

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
