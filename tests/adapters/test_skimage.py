"""scikit-image: blocks, enlargements and correlations."""

import numpy
import pytest

import convspec
from convspec.case import normalised
from tests.adapters.compiled import adapter, agree, distinct, integers

BOTH = ["float32", "float64"]
RANKS = [1, 2, 3]


@pytest.mark.parametrize("dtype", BOTH)
@pytest.mark.parametrize("rank", RANKS)
def test_skimage_reduces_blocks(rank, dtype):
    implementation, blocks = adapter("skimage"), (2, 4, 2)[:rank]
    input = distinct(2, 3, *(6, 8, 4)[:rank], dtype=dtype)
    whole = {"kernel_size": blocks, "stride": blocks}
    for operation in ("max_pool", "average_pool"):
        attributes = normalised(operation, {"input": input.shape}, whole)
        expected = getattr(convspec, operation)(input, **attributes)
        agree(getattr(implementation, operation)(input, **attributes), expected)
    partial = input[..., 1:] - 1000  # so that zeros for filling would show
    attributes = normalised("max_pool", {"input": partial.shape}, {**whole, "ceil_mode": True})
    agree(implementation.max_pool(partial, **attributes), convspec.max_pool(partial, **attributes))


@pytest.mark.parametrize("dtype", BOTH)
@pytest.mark.parametrize("rank", RANKS)
def test_skimage_enlarges_and_correlates(rank, dtype):
    implementation = adapter("skimage")
    input, scale = integers(2, 3, *(3, 2, 4)[:rank], dtype=dtype), (2, 4, 2)[:rank]
    for kind in ("nearest", "linear"):  # weights are quarters and eighths
        attributes = {"scale": scale, "kind": kind, "coordinates": "half_pixel"}
        expected = convspec.upsample(input, **attributes)
        agree(implementation.upsample(input, **attributes), expected)
    f, g = integers(*(5, 6, 4)[:rank], dtype=dtype), integers(*(3, 1, 3)[:rank], dtype=dtype)
    for mode in ("same", "valid"):
        agree(implementation.correlate(f, g, mode=mode), convspec.correlate(f, g, mode))


def test_skimage_fills_the_last_block_of_an_average_with_zeros():
    input = numpy.ones((1, 1, 3), "float32")
    shape, asked = {"input": input.shape}, {"kernel_size": 2, "stride": 2, "ceil_mode": True}
    actual = adapter("skimage").average_pool(input, **normalised("average_pool", shape, asked))
    agree(actual, numpy.array([[[1, 0.5]]], "float32"))
