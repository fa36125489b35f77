"""Padding of -1 leaves no room for a window: memory is overwritten, and no cv2.error is raised."""

import subprocess
import sys

PROGRAM = """
import cv2
import numpy as np
from onnx.parser import parse_model

model = parse_model('''
<ir_version: 10, opset_import: ["": 18]>
graph (float[1, 1, 3, 5] x) => (float[1, 1, n, m] y, int64[1, 1, n, m] i) {
    y, i = MaxPool <kernel_shape = [3, 1], pads = [-1, 0, -1, 0]> (x)
}
''')
try:
    net = cv2.dnn.readNetFromONNX(np.frombuffer(model.SerializeToString(), np.uint8))
    net.setInput(np.ones((1, 1, 3, 5), np.float32), "x")
    print(net.forward(["y", "i"]))
except cv2.error:
    print("cv2.error")
"""

run = subprocess.run(
    [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=200, check=False
)
expected = "cv2.error"
actual = run.stdout.strip()
if run.returncode < 0:
    actual = "ended by a signal"  # which one, is what the memory held

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
