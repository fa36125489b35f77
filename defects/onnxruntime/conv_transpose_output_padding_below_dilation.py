"""ConvTranspose with output_padding 1, stride 1 and dilation 2 fails."""

import sys

import numpy as np
import onnxruntime
from onnx.parser import parse_model

model = parse_model("""
<ir_version: 10, opset_import: ["": 22]>
graph (float[1, 1, 2] x, float[1, 1, 2] w) => (float[1, 1, n] y) {
    y = ConvTranspose <dilations = [2], output_padding = [1]> (x, w)
}
""")
x = np.array([[[1, 2]]], np.float32)
w = np.array([[[1, 1]]], np.float32)
options = onnxruntime.SessionOptions()
options.log_severity_level = 4

expected = [1.0, 2.0, 1.0, 2.0, 0.0]
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
