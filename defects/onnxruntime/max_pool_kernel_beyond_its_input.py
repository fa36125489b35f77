"""MaxPool of one element by a kernel of two has floor((1 - 2) / 2) + 1 = 0 outputs, not one."""

import sys

import numpy as np
import onnxruntime
from onnx.parser import parse_model

model = parse_model("""
<ir_version: 10, opset_import: ["": 22]>
graph (float[1, 1, 1] x) => (float[1, 1, n] y) {
    y = MaxPool <kernel_shape = [2], strides = [2]> (x)
}
""")
x = np.array([[[1]]], np.float32)
options = onnxruntime.SessionOptions()
options.log_severity_level = 4

expected = 0
session = onnxruntime.InferenceSession(
    model.SerializeToString(), options, providers=["CPUExecutionProvider"]
)
y = session.run(None, {"x": x})[0]
actual = y.size

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
