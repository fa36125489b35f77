"""OpenVINO: the precision that it computes in."""

import numpy

from tests.adapters.compiled import adapter, agree


def test_openvino_computes_in_the_precision_that_its_device_prefers():
    """257 needs nine bits of significand, bfloat16 has eight."""
    own, float32 = adapter("openvino"), adapter("openvino:float32")
    import openvino

    hint = openvino.Core().get_property("CPU", "INFERENCE_PRECISION_HINT")
    input, weight = numpy.full((1, 1, 1), 257, "float32"), numpy.ones((1, 1, 1), "float32")
    attributes = {"stride": (1,), "padding": ((0, 0),), "dilation": (1,), "groups": 1}
    agree(float32.conv(input, weight, **attributes), input)
    due = 256 if hint == openvino.Type.bf16 else 257
    agree(own.conv(input, weight, **attributes), numpy.full_like(input, due))
