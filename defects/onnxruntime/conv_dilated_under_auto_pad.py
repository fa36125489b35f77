"""Conv with auto_pad and dilations is refused."""

import sys

import numpy as np
import onnxruntime
from onnx.parser import parse_model

model = parse_model("""
<ir_version: 10, opset_import: ["": 22]>
graph (float[1, 1, 4] x, float[1, 1, 2] w) => (float[1, 1, n] y) {
    y = Conv <dilations = [2], auto_pad = "SAME_UPPER"> (x, w)
}
""")
x = np.array([[[1, 2, 3, 4]]], np.float32)
w = np.array([[[1, 10]]], np.float32)
options = onnxruntime.SessionOptions()
options.log_severity_level = 4

expected = [20.0, 31.0, 42.0, 3.0]
try:
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    y = session.run(None, {"x": x, "w": w})[0]
    actual = y.ravel().tolist()
except Exception as error:
    actual = f"{type(error).__name__}: {str(error).rpartition(': ')[2].strip()}"

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
