"""A one at the end of a row is not found by the one at the end of the kernel."""

import sys

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
    return opset16.convolution(
        x, w, strides=[1, 1, 2], pads_begin=[0, 0, 0], pads_end=[1, 1, 0], dilations=[1, 1, 1]
    )


x = np.zeros((1, 1, 1, 2, 3), np.float32)
x[0, 0, 0, 1, 2] = 1
w = np.zeros((1, 1, 2, 2, 3), np.float32)
w[0, 0, 0, 0, 2] = 1
expected = [
    0.0,
    1.0,
]  # the tap [0, 0, 2] reads x[0, 0, 2] in the first row, x[0, 1, 2] in the second
(y,) = computed(convolution, x, w, INFERENCE_PRECISION_HINT="f32")
actual = y.ravel().tolist()

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
