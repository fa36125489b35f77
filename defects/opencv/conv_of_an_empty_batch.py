"""A Conv of no images of several channels is a floating point exception."""

import signal
import subprocess
import sys

PROGRAM = """
import cv2
import numpy as np
from onnx.parser import parse_model

model = parse_model('''
<ir_version: 10, opset_import: ["": 18]>
graph (float[0, 3, 7, 7] x, float[3, 3, 3, 3] w) => (float[a, b, c, d] y) {
    y = Conv (x, w)
}
''')
net = cv2.dnn.readNetFromONNX(np.frombuffer(model.SerializeToString(), np.uint8))
net.setInput(np.ones((0, 3, 7, 7), np.float32), "x")
net.setInput(np.ones((3, 3, 3, 3), np.float32), "w")
y = net.forward("y")
print("no elements" if y is None or not y.size else y.shape)
"""

run = subprocess.run(
    [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=200, check=False
)
expected = "no elements"
actual = run.stdout.strip()
if run.returncode < 0:
    actual = f"ended by {signal.Signals(-run.returncode).name}"

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
