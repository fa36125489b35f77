"""The second row of a convolution in float32 lacks elements of its window."""

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
        x, w, strides=[1, 2], pads_begin=[0, 1], pads_end=[0, 1], dilations=[1, 1]
    )


x = np.arange(1, 9, dtype=np.float32).reshape(1, 1, 4, 2)
w = np.arange(1, 13, dtype=np.float32).reshape(1, 1, 3, 4)
# The window holds both columns of three rows; its outer columns are padding.
expected = [float((x[0, 0, i : i + 3] * w[0, 0, :, 1:3]).sum()) for i in range(2)]
(y,) = computed(convolution, x, w, INFERENCE_PRECISION_HINT="f32")
actual = y.ravel().tolist()

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
