"""A window of one element that hangs over the end is divided by two, if there is padding."""

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
    return opset16.avg_pool(
        x,
        strides=[2],
        pads_begin=[1],
        pads_end=[0],
        kernel_shape=[2],
        exclude_pad=False,
        rounding_type="ceil_torch",
        dilations=[1],
    )


x = np.ones((1, 1, 2), np.float32)
expected = [0.5, 1.0]
actual = computed(pool, x)[0].ravel().tolist()

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
