"""The maximum of NaN, 0 and 0 is NaN in float64 and 0 in float32."""

import sys

import numpy as np
import onnxruntime
from onnx.parser import parse_model

model = parse_model("""
<ir_version: 10, opset_import: ["": 22]>
graph (float[1, 1, 3] x) => (float[1, 1, n] y) {
    y = MaxPool <kernel_shape = [3]> (x)
}
""")
x = np.array([[[np.nan, 0, 0]]], np.float32)
options = onnxruntime.SessionOptions()
options.log_severity_level = 4

expected = [float("nan")]
session = onnxruntime.InferenceSession(
    model.SerializeToString(), options, providers=["CPUExecutionProvider"]
)
y = session.run(None, {"x": x})[0]
actual = y.ravel().tolist()

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
