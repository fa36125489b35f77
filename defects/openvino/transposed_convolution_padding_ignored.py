"""Padding crops the first element and output_padding adds one at the end; neither happens."""

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


def transposed(kernel):
    def build(x):
        return opset16.convolution_backprop_data(
            x,
            opset16.constant(np.array([[kernel]], np.float32)),
            strides=[1],
            pads_begin=[1],
            pads_end=[len(kernel) * 2 - 2],  # crops what a longer kernel adds
            dilations=[2],
            output_padding=[1],
            auto_pad="explicit",
        )

    return build


x = np.array([[[1, 2, 3]]], np.float32)
expected = computed(transposed([1, 0]), x)[0].ravel().tolist()
actual = computed(transposed([1]), x)[0].ravel().tolist()

print(f"expected: {expected}")
print(f"actual:   {actual}")
if str(actual) == str(expected):
    sys.exit("stale: it is as expected")
