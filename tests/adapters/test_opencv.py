"""OpenCV: `filter2D`, indices of maxima, and pools that would harm the process."""

import numpy
import pytest

import convspec
from tests.adapters.compiled import adapter, agree, case, integers


def test_opencv_correlates_by_filter2d():
    f, g = integers(5, 6), integers(3, 3)
    agree(adapter("opencv").correlate(f, g, mode="same"), convspec.correlate(f, g, "same"))


def test_opencv_counts_indices_from_the_batch_item_on():
    """ONNX counts them through the whole tensor, so that those of one item alone agree."""
    (input,), attributes = case("max_pool_with_indices", 2, "float32")
    values, indices = convspec.max_pool_with_indices(input, **attributes)
    actual = adapter("opencv").max_pool_with_indices(input, **attributes)
    agree((actual[0], actual[1][:1]), (values, indices[:1]))
    item = numpy.prod(input.shape[1:])
    agree(actual[1][1:], indices[1:] - item)


@pytest.mark.parametrize("operation", ["max_pool", "max_pool_with_indices", "average_pool"])
def test_opencv_is_not_given_a_pool_that_would_harm_the_process(operation):
    pool = getattr(adapter("opencv"), operation)
    with pytest.raises(ValueError, match=r"sizes \[-1, 4\]: OpenCV would write beyond its memory"):
        pool(integers(1, 1, 1, 4), kernel_size=(3, 1), stride=(1, 1))
    with pytest.raises(ValueError, match="write beyond its memory"):
        pool(integers(1, 1, 3, 5), kernel_size=(3, 1), stride=(1, 1), padding=((-1, -1), (0, 0)))


def test_opencv_is_not_given_a_convolution_that_would_harm_the_process():
    opencv = adapter("opencv")
    with pytest.raises(ValueError, match=r"sizes \[-2\]: OpenCV would write beyond its memory"):
        opencv.conv(integers(1, 1, 1), integers(8, 1, 4))
    with pytest.raises(ValueError, match=r"sizes \[-1\]: OpenCV would write beyond its memory"):
        opencv.conv_transpose(integers(1, 1, 1), integers(1, 8, 1), padding=((1, 1),))


def test_opencv_meets_what_it_takes_for_an_output():
    """Its division truncates towards zero, so that one output is left where no window fits."""
    opencv = adapter("opencv")
    one = opencv.conv(integers(1, 1, 1), integers(1, 1, 2), stride=(2,))
    assert one.shape == (1, 1, 1)
    cut = opencv.max_pool_with_indices(
        integers(1, 1, 2, 2), kernel_size=(1, 1), stride=(2, 2), padding=((-1, -1), (-1, -1))
    )
    assert cut[1].tolist() == [[[[3]]]]


@pytest.mark.parametrize(
    ("operation", "axes", "attributes"),
    [
        ("conv", 1, {"stride": (3,), "dilation": (2,), "padding": ((2, 1),)}),
        ("conv", 2, {"stride": (2, 1), "padding": ((0, 1), (1, 0))}),
        ("conv_transpose", 2, {"stride": (2, 3), "output_padding": (1, 2), "dilation": (1, 2)}),
        ("conv_transpose", 1, {"padding": ((1, 0),)}),
        ("max_pool", 2, {"kernel_size": (2, 3), "stride": (3, 2), "ceil_mode": True}),
        ("average_pool", 2, {"kernel_size": (3, 2), "stride": (2, 2), "padding": ((1, 0), (0, 1))}),
    ],
)
def test_the_sizes_of_an_output_are_those_that_opencv_gives_it(operation, axes, attributes):
    opencv = adapter("opencv")
    from convspec.adapters.onnx_models import model  # needs onnx, as OpenCV's adapter does
    from convspec.adapters.opencv import _output_sizes

    operands = [integers(1, 2, *(8, 7)[:axes])]
    if operation.startswith("conv"):
        operands.append(integers(2, 2, *(3, 2)[:axes]))
    made = model(operation, tuple(map(numpy.shape, operands)), "float32", attributes)
    assert _output_sizes(made) == list(
        getattr(opencv, operation)(*operands, **attributes).shape[2:]
    )
