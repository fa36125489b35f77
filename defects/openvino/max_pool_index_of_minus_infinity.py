"""The second window holds the second element alone, and its index is that of the first."""

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


def pool(x):
    pooled = opset16.max_pool(
        x, strides=[1], dilations=[1], pads_begin=[0], pads_end=[0], kernel_shape=[1], axis=2
    )
    return [pooled.output(0), pooled.output(1)]


x = np.array([[[0, -np.inf]]], np.float32)
expected = [0, 1]
actual = computed(pool, x)[1].ravel().tolist()

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
