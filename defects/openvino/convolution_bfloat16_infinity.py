"""Next to an infinity, one times one is NaN in bfloat16."""

import sys
from pathlib import Path

import numpy as np
import openvino
from openvino import opset16


def computed(build, *arrays, **settings):
    inputs = [opset16.parameter(list(array.shape), array.dtype.type) for array in arrays]
    model = openvino.Model(build(*inputs), inputs)
    compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_NUM_THREADS": 1, **settings})
    outputs = compiled(list(arrays))
    return [outputs[place].copy() for place in range(len(compiled.outputs))]


def convolution(x, w):
    return opset16.convolution(x, w, strides=[1], pads_begin=[0], pads_end=[0], dilations=[1])


if "avx512_bf16" not in Path("/proc/cpuinfo").read_text(encoding="ascii"):
    print("this processor has no instructions for bfloat16")
    sys.exit(77)

x = np.array([[[1, np.inf]]], np.float32)
w = np.array([[[1]]], np.float32)
expected = computed(convolution, x, w, INFERENCE_PRECISION_HINT="f32")[0].ravel().tolist()
actual = computed(convolution, x, w)[0].ravel().tolist()

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
