"""PaddlePaddle: indices of maxima, and what would harm the process that asks for them."""

import numpy
import pytest

import convspec
from tests.adapters.compiled import adapter, agree, case

POOL = {
    "kernel_size": (2,),
    "stride": (2,),
    "padding": ((0, 0),),
    "dilation": (1,),
    "ceil_mode": False,
}


@pytest.mark.parametrize("lowest", [numpy.nan, -numpy.inf])
def test_the_gradient_of_a_window_without_an_index_is_stopped(lowest):
    input = numpy.full((1, 1, 4), lowest, dtype="float32")
    with pytest.raises(ValueError, match="beyond its memory"):
        adapter("paddle").max_pool_with_indices_vjp(input[..., :2], input, **POOL)


def test_a_cotangent_without_indices_is_stopped():
    input = numpy.ones((1, 1, 4), dtype="float32")
    with pytest.raises(ValueError, match="beyond its memory"):
        adapter("paddle").max_pool_with_indices_vjp(input, input, **POOL)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_paddle_has_the_indices_of_maxima_and_their_gradient(rank, dtype):
    (input,), given = case("max_pool", rank, dtype, ("dilation", "padding"))
    values, indices = adapter("paddle").max_pool_with_indices(input, **given)
    assert indices.dtype == "int32"
    expected = convspec.max_pool_with_indices(input, **given)
    agree((values, indices.astype("int64")), expected)
    found = adapter("paddle").max_pool_with_indices_vjp(values, input, **given)
    agree(found, convspec.max_pool_with_indices_vjp(values, input, **given))


def test_the_indices_have_one_padding_for_both_sides():
    (input,), given = case("max_pool", 1, "float32", ("dilation",))
    with pytest.raises(ValueError, match="should be the same"):
        adapter("paddle").max_pool_with_indices(input, **given)


@pytest.mark.parametrize("rank", [1, 2])
def test_averages_have_padding_and_ceil_mode(rank):
    (input,), given = case("average_pool", rank, "float64", ("dilation",))
    agree(adapter("paddle").average_pool(input, **given), convspec.average_pool(input, **given))
