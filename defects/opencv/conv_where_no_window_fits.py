"""A kernel of four over one element: memory is overwritten, and no cv2.error is raised."""

import subprocess
import sys

PROGRAM = """
import cv2
import numpy as np
from onnx.parser import parse_model

model = parse_model('''
<ir_version: 10, opset_import: ["": 18]>
graph (float[1, 1, 1] x, float[8, 1, 4] w) => (float[1, 8, n] y) {
    y = Conv (x, w)
}
''')
try:
    net = cv2.dnn.readNetFromONNX(np.frombuffer(model.SerializeToString(), np.uint8))
    net.setInput(np.ones((1, 1, 1), np.float32), "x")
    net.setInput(np.ones((8, 1, 4), np.float32), "w")
    print(net.forward("y"))
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
