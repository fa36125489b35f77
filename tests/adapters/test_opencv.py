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
    (input,), attributes = case(operation, 2, "float32")
    attributes["padding"] = ((-1, -1), (0, 0))
    with pytest.raises(ValueError, match="write beyond its memory"):
        getattr(adapter("opencv"), operation)(input, **attributes)
