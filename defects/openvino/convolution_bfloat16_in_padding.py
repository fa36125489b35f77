"""A convolution of which every window lies in the padding, and a bias: a segmentation fault."""

import signal
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import numpy as np
import openvino
from openvino import opset16

SETTINGS = {"INFERENCE_NUM_THREADS": 1}
PRECISION
x, w, b = (np.ones((1, 1, 1), np.float32) for _ in range(3))
inputs = [opset16.parameter([1, 1, 1], np.float32) for _ in range(3)]
products = opset16.convolution(
    *inputs[:2], strides=[2], pads_begin=[1], pads_end=[3], dilations=[1]
)
model = openvino.Model([opset16.add(products, inputs[2])], inputs)
found = openvino.Core().compile_model(model, "CPU", SETTINGS)([x, w, b])[0]
print(found.ravel().tolist())
"""


def outcome(precision):
    program = PROGRAM.replace("PRECISION", precision)
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=200, check=False
    )
    if run.returncode < 0:
        return f"ended by {signal.Signals(-run.returncode).name}"
    return run.stdout.strip()


if "avx512_bf16" not in Path("/proc/cpuinfo").read_text(encoding="ascii"):
    print("this processor has no instructions for bfloat16")
    sys.exit(77)

expected = outcome("SETTINGS['INFERENCE_PRECISION_HINT'] = 'f32'")
actual = outcome("")

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
