"""Adapters: the least that each must offer, so that one that gives up cannot look conforming.

The cases are few and exact; what the whole space holds is the oracle's business.
"""

import warnings
from importlib.util import find_spec

import numpy
import pytest

import convspec
from convspec.case import normalised
from convspec.oracle.check import element
from convspec.oracle.target import TargetError, load
from tests.adapters.compiled import agree

SEED = 20240229


# The largest integers in a test: every sum of products of them here is exact in the dtype.
LARGEST = {"float16": 2, "bfloat16": 1}


def integers(*shape, dtype="float64"):
    largest = LARGEST.get(dtype, 9)
    whole = numpy.random.default_rng(SEED).integers(-largest, largest + 1, shape)
    return whole.astype(element(dtype))


SIGNALS = {
    "numpy": ("convolve correlate", [1], ["full", "same", "valid"]),
    "scipy:direct": ("convolve correlate", [1, 2, 3], ["full", "same", "valid"]),
    "scipy:convolve2d": ("convolve", [2], ["full", "same", "valid"]),
    "scipy:correlate2d": ("correlate", [2], ["full", "same", "valid"]),
    "ndimage": ("convolve correlate", [1, 2, 3], ["same"]),
}
COVERED = [
    (target, operation, rank, mode)
    for target, (operations, ranks, modes) in SIGNALS.items()
    for operation in operations.split()
    for rank in ranks
    for mode in modes
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("target", "operation", "rank", "mode"), COVERED)
def test_signals_are_covered(target, operation, rank, mode, dtype):
    f, g = integers(*(5, 4, 6)[:rank], dtype=dtype), integers(*(3,) * rank, dtype=dtype)
    actual = getattr(load(target), operation)(f, g, mode=mode)
    agree(actual, getattr(convspec, operation)(f, g, mode))


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("operation", ["convolve", "correlate"])
@pytest.mark.parametrize("target", ["scipy", "scipy:auto", "scipy:fft"])
def test_signals_that_may_go_through_an_fft_are_covered(target, operation, mode, rank):
    f, g = integers(*(5, 4, 6)[:rank]), integers(*(3,) * rank)
    actual = getattr(load(target), operation)(f, g, mode=mode)
    # Integers of this size are recovered from an FFT by rounding.
    agree(numpy.round(actual), getattr(convspec, operation)(f, g, mode))


@pytest.mark.parametrize(
    ("target", "operation", "rank", "mode", "reason"),
    [
        ("numpy", "convolve", 2, "full", "take one axis"),
        ("numpy", "correlate", 2, "full", "take one axis"),
        ("scipy:convolve2d", "convolve", 1, "full", "take two axes"),
        ("scipy:correlate2d", "correlate", 3, "full", "take two axes"),
        ("ndimage", "convolve", 2, "full", "mode same"),
        ("ndimage", "correlate", 1, "valid", "mode same"),
    ],
)
def test_what_a_signal_package_lacks_is_unsupported(target, operation, rank, mode, reason):
    f, g = integers(*(3,) * rank), integers(*(2,) * rank)
    with pytest.raises(NotImplementedError, match=reason):
        getattr(load(target), operation)(f, g, mode=mode)


@pytest.mark.parametrize(
    ("target", "f", "g", "mode"),
    [
        ("ndimage", [1.0, 2.0], [1.0, 2.0], "bogus"),
        ("numpy", [1.0, 2.0], [1.0, 2.0], "bogus"),
        ("scipy:convolve2d", [[1.0]], [1.0], "full"),
        ("scipy:direct", [[1.0]], [1.0], "full"),
    ],
)
def test_bad_arguments_are_left_for_the_package_to_refuse(target, f, g, mode):
    with pytest.raises(ValueError):
        load(target).convolve(numpy.array(f), numpy.array(g), mode=mode)


# What these packages really do differently.  The adapters must not hide it.


def test_numpy_keeps_the_size_of_the_longer_operand():
    f, g = numpy.array([1.0]), numpy.array([1.0, 2.0, 3.0])
    for operation in ("convolve", "correlate"):
        assert getattr(load("numpy"), operation)(f, g, mode="same").shape == (3,)
        assert getattr(convspec, operation)(f, g, "same").shape == (1,)


def test_ndimage_centres_an_even_kernel_elsewhere_in_convolve():
    f, g = numpy.array([1.0, 10.0]), numpy.array([1.0, 2.0])
    numpy.testing.assert_array_equal(load("ndimage").convolve(f, g, mode="same"), [12.0, 20.0])
    numpy.testing.assert_array_equal(convspec.convolve(f, g, "same"), [1.0, 12.0])
    agree(load("ndimage").correlate(f, g, mode="same"), convspec.correlate(f, g, "same"))


def test_ndimage_skips_weights_that_are_zero_or_almost():
    f, g = numpy.array([1.0, numpy.nan, 3.0]), numpy.array([1.0, 0.0, 1.0])
    numpy.testing.assert_array_equal(
        load("ndimage").correlate(f, g, mode="same"), [numpy.nan, 4.0, numpy.nan]
    )
    tiny = numpy.array([0.0, 1e-17, 0.0])
    numpy.testing.assert_array_equal(load("ndimage").correlate(f, tiny, mode="same"), [0, 0, 0])


def test_scipy_correlate2d_centres_an_even_kernel_as_a_convolution_would():
    f, g = numpy.array([[1.0, 10.0]]), numpy.array([[1.0, 2.0]])
    actual = load("scipy:correlate2d").correlate(f, g, mode="same")
    numpy.testing.assert_array_equal(actual, [[21.0, 10.0]])
    numpy.testing.assert_array_equal(convspec.correlate(f, g, "same"), [[2.0, 21.0]])


def test_scipy_by_fft_spreads_nan_everywhere():
    f, g = numpy.array([1.0, numpy.nan, 3.0, 4.0]), numpy.array([1.0, 1.0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        assert numpy.isnan(load("scipy:fft").convolve(f, g, mode="full")).all()
    assert numpy.isnan(load("scipy:direct").convolve(f, g, mode="full")).sum() == 2


pytorch = pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed")


def case(operation, rank, dtype):
    """Operands and attributes that switch on everything PyTorch offers, unequal on every axis."""
    size = (7, 6, 5)[:rank]
    kernel = (3, 2, 2)[:rank]
    if operation == "conv":
        operands = [integers(2, 4, *size, dtype=dtype), integers(6, 2, *kernel, dtype=dtype)]
        operands.append(integers(6, dtype=dtype))
        attributes = {
            "stride": (2, 1, 3)[:rank],
            "padding": ((1, 2), (0, 1), (2, 0))[:rank],
            "dilation": (2, 3, 1)[:rank],
            "groups": 2,
        }
    elif operation == "conv_transpose":
        operands = [integers(2, 4, *size, dtype=dtype), integers(4, 3, *kernel, dtype=dtype)]
        operands.append(integers(6, dtype=dtype))
        attributes = {
            "stride": (2, 1, 3)[:rank],
            "padding": (1, 0, 2)[:rank],
            "output_padding": (1, 2, 0)[:rank],
            "dilation": (1, 3, 2)[:rank],
            "groups": 2,
        }
    else:
        operands = [integers(2, 3, *size, dtype=dtype)]
        attributes = {
            "kernel_size": (4, 2, 2)[:rank],
            "stride": (3, 1, 2)[:rank],
            "padding": (2, 1, 0)[:rank],
            "ceil_mode": True,
        }
        if operation == "average_pool":
            attributes["count_include_pad"] = True
        else:
            attributes["dilation"] = (1, 2, 3)[:rank]
            attributes["padding"] = (1, 1, 1)[:rank]
    names = convspec.OPERATIONS[operation].operands
    shapes = {name: array.shape for name, array in zip(names, operands, strict=True)}
    return operands, normalised(operation, shapes, attributes)


OPERATIONS = ["conv", "conv_transpose", "max_pool", "max_pool_with_indices", "average_pool"]
PYTORCH = [
    (operation, rank, dtype)
    for operation in OPERATIONS
    for rank in (1, 2, 3)
    for dtype in ("float64", "float32", "float16", "bfloat16")
    # What PyTorch says it has not on a CPU; see below.
    if (operation, rank) != ("average_pool", 3) or dtype not in LARGEST
]


@pytorch
@pytest.mark.parametrize(("operation", "rank", "dtype"), PYTORCH)
def test_pytorch_covers_operation_and_gradient(operation, rank, dtype):
    if dtype == "bfloat16":
        pytest.importorskip("ml_dtypes", reason="needs convspec[bfloat16]")
    operands, attributes = case(operation, rank, dtype)
    expected = getattr(convspec, operation)(*operands, **attributes)
    agree(getattr(load("torch"), operation)(*operands, **attributes), expected)
    shape = (expected[0] if isinstance(expected, tuple) else expected).shape
    cotangent = integers(*shape, dtype=dtype)
    if operation == "average_pool":
        # Multiples of every divisor here, so that shares are integers.
        cotangent *= 64
    agree(
        getattr(load("torch"), f"{operation}_vjp")(cotangent, *operands, **attributes),
        getattr(convspec, f"{operation}_vjp")(cotangent, *operands, **attributes),
    )


@pytorch
@pytest.mark.parametrize("operation", ["conv", "conv_transpose"])
def test_pytorch_takes_a_missing_bias_and_an_empty_batch(operation):
    (input, weight, _), attributes = case(operation, 2, "float32")
    for batch in (input, input[:0]):
        expected = getattr(convspec, operation)(batch, weight, **attributes)
        agree(getattr(load("torch"), operation)(batch, weight, **attributes), expected)
        agree(
            getattr(load("torch"), f"{operation}_vjp")(expected, batch, weight, **attributes),
            getattr(convspec, f"{operation}_vjp")(expected, batch, weight, **attributes),
        )


@pytorch
@pytest.mark.parametrize(
    ("operation", "change", "reason"),
    [
        ("conv_transpose", {"padding": ((0, 1), (0, 0))}, "both sides"),
        ("max_pool", {"padding": ((0, 1), (0, 0))}, "both sides"),
        ("max_pool_with_indices", {"padding": ((0, 0), (2, 2))}, "at most half"),
        ("average_pool", {"padding": ((0, 0), (2, 2))}, "at most half"),
        ("average_pool", {"dilation": (1, 2)}, "no dilation"),
    ],
)
def test_what_pytorch_lacks_is_unsupported(operation, change, reason):
    operands, attributes = case(operation, 2, "float32")
    with pytest.raises(NotImplementedError, match=reason):
        getattr(load("torch"), operation)(*operands, **{**attributes, **change})


@pytorch
def test_pytorch_computes_on_a_device_by_name():
    target = load("torch:cpu")
    assert target.name == "torch:cpu"
    operands, attributes = case("conv", 2, "float32")
    agree(target.conv(*operands, **attributes), convspec.conv(*operands, **attributes))
    assert load("torch").conv.__name__ == target.conv.__name__
    with pytest.raises(TargetError, match="there is no nowhere"):
        load("torch:nowhere")


@pytorch
def test_a_call_goes_to_the_device_of_its_target():
    """On `meta`, where tensors have no numbers, so that nothing can come back."""
    operands, attributes = case("conv", 2, "float32")
    with pytest.raises(NotImplementedError, match="meta"):
        load("torch:meta").conv(*operands, **attributes)
    agree(load("torch").conv(*operands, **attributes), convspec.conv(*operands, **attributes))


@pytorch
def test_a_device_that_is_not_there_is_one_line():
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")
    with pytest.raises(TargetError, match=r"^torch:cuda: cuda cannot be had: .*CUDA") as error:
        load("torch:cuda")
    assert "\n" not in str(error.value)


@pytorch
def test_pytorch_itself_says_that_it_has_no_volume_averages_in_half_precision():
    operands, attributes = case("average_pool", 3, "float16")
    with pytest.raises(NotImplementedError, match="not implemented for 'Half'"):
        load("torch").average_pool(*operands, **attributes)


@pytorch
def test_four_axes_are_beyond_pytorch():
    x = numpy.zeros((1, 1, 1, 1, 1, 1))
    attributes = {"stride": (1,) * 4, "padding": ((0, 0),) * 4, "dilation": (1,) * 4}
    with pytest.raises(NotImplementedError, match="three spatial axes"):
        load("torch").conv(x, x, groups=1, **attributes)


@pytorch
def test_pytorch_refuses_negative_padding_whatever_its_sides():
    x = numpy.ones((1, 1, 5), dtype="float32")
    for pair in ((-1, -1), (-1, 0), (0, -1)):
        with pytest.raises((RuntimeError, ValueError), match="padding"):
            load("torch").conv(x, x[..., :2], stride=(1,), padding=(pair,), dilation=(1,), groups=1)


@pytorch
def test_pytorch_shares_memory_and_says_nothing_about_read_only_arrays():
    from convspec.adapters import torch_tensors as adapter

    array = integers(2, 3, dtype="float32")
    array.flags.writeable = False
    tensor = adapter.tensor(array)
    assert tensor.data_ptr() == array.ctypes.data
    strided = integers(2, 6)[:, ::2]
    assert adapter.tensor(strided).data_ptr() == strided.ctypes.data


@pytorch
def test_pytorch_takes_arrays_that_it_cannot_share():
    operands, attributes = case("conv", 1, "float64")
    reversed_ = [numpy.flip(numpy.flip(array).copy()) for array in operands]
    assert all(array.strides[-1] < 0 for array in reversed_)
    agree(load("torch").conv(*reversed_, **attributes), convspec.conv(*operands, **attributes))
    # NumPy calls one element contiguous, and copies nothing, whatever its strides.
    one = numpy.flip(numpy.ones((1, 1, 1)))
    assert one.strides[-1] < 0
    plain = {"stride": (1,), "padding": ((0, 0),), "dilation": (1,), "groups": 1}
    agree(load("torch").conv(one, one, **plain), one)
