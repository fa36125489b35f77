"""The adapters of compiled frameworks: the least that each must offer.

The cases are few and exact, with all switched on that a package has; what the whole space holds is
the oracle's business.  A package that is not installed is skipped by the name of its extra.
"""

import warnings

import numpy
import pytest

import convspec
from convspec.case import normalised
from convspec.oracle.target import TargetError, load, operations_offered

SEED = 20240301

# The module that a target needs, and the extra that installs it.
NEEDS = {
    "onnxruntime": ("onnxruntime", "onnxruntime"),
    "onnx-reference": ("onnx", "onnx"),
    "openvino:float32": ("openvino", "openvino"),
    "openvino": ("openvino", "openvino"),
    "opencv": ("cv2", "opencv"),
    "jax": ("jax", "jax"),
    "mlx": ("mlx", "mlx"),
    "tensorflow": ("tensorflow", "tensorflow"),
    "skimage": ("skimage", "skimage"),
}


def adapter(target):
    module, extra = NEEDS[target]
    with warnings.catch_warnings():
        # What a framework says about its own dependencies when it is imported.
        warnings.simplefilter("ignore")
        pytest.importorskip(module, reason=f"needs convspec[{extra}]")
        return load(target)


# Entries whose sums of products are exact in a half type.
LARGEST = {"float16": 2, "bfloat16": 1}


def integers(*shape, dtype="float32"):
    largest = LARGEST.get(dtype, 9)
    return numpy.random.default_rng(SEED).integers(-largest, largest + 1, shape).astype(dtype)


def distinct(*shape, dtype="float32"):
    """No two equal: which of several maxima receives a cotangent is an open point."""
    values = numpy.random.default_rng(SEED).permutation(numpy.prod(shape)).reshape(shape)
    if dtype == "bfloat16":  # it holds few integers; what follows 1 in it are 1, 1.0078125, ...
        return (values + 0x3F80).astype("uint16").view(dtype)
    return values.astype(dtype)


def agree(actual, expected):
    actual = actual if isinstance(actual, tuple) else (actual,)
    expected = expected if isinstance(expected, tuple) else (expected,)
    assert len(actual) == len(expected)
    for a, e in zip(actual, expected, strict=True):
        assert isinstance(a, numpy.ndarray)
        assert a.dtype == e.dtype
        numpy.testing.assert_array_equal(a, e)


def case(operation, rank, dtype, lacks=()):
    """Operands and attributes with everything switched on but what `lacks` names."""
    size, kernel = (7, 6, 5)[:rank], (4, 2, 2)[:rank]
    groups = 1 if "groups" in lacks else 2
    attributes = {
        "stride": (3, 1, 2)[:rank],
        "padding": ((1, 2), (0, 1), (1, 0))[:rank],
        "dilation": (1, 2, 1)[:rank],
    }
    if "conv" in operation:
        shape = (6, 4 // groups) if operation == "conv" else (4, 6 // groups)
        shapes = [(2, 4, *size), (*shape, *kernel), (6,)]
        operands = [integers(*shape, dtype=dtype) for shape in shapes]
        attributes["groups"] = groups
        if operation == "conv_transpose":
            attributes["output_padding"] = (2, 0, 1)[:rank]
    else:
        operands = [distinct(2, 3, *size, dtype=dtype)]
        attributes |= {"kernel_size": kernel, "ceil_mode": True}
        if operation == "average_pool":
            attributes["count_include_pad"] = True
            if "ceil_mode" not in lacks:
                attributes["padding"] = ((1, 1), (1, 1), (0, 1))[:rank]
    attributes = {name: value for name, value in attributes.items() if name not in lacks}
    names = convspec.OPERATIONS[operation].operands
    shapes = {name: array.shape for name, array in zip(names, operands, strict=False)}
    return operands, normalised(operation, shapes, attributes)


ALL = [1, 2, 3]
BOTH = ["float32", "float64"]
NARROW = ["float32"]
HALF = ["float16", "float32"]
EVERY = ["float64", "float32", "float16", "bfloat16"]
POOLED = ("padding", "dilation", "ceil_mode")
TRANSPOSED = ("groups", "padding", "output_padding", "dilation")
# Target, operation, ranks, dtypes, and what the package lacks.
COVERED = [
    ("onnxruntime", "conv", ALL, HALF, ()),
    ("onnxruntime", "conv_transpose", ALL, HALF, ()),
    ("onnxruntime", "max_pool", ALL, [*HALF, "float64"], ()),
    ("onnxruntime", "max_pool_with_indices", ALL, [*HALF, "float64"], ()),
    ("onnxruntime", "average_pool", ALL, HALF, ()),
    ("onnx-reference", "conv", ALL, BOTH, ()),
    ("onnx-reference", "conv_transpose", ALL, BOTH, ("groups",)),
    ("onnx-reference", "max_pool", ALL, BOTH, ()),
    ("onnx-reference", "max_pool_with_indices", ALL, BOTH, ()),
    ("onnx-reference", "average_pool", ALL, BOTH, ("padding", "ceil_mode")),
    ("openvino:float32", "conv", ALL, NARROW, ()),
    ("openvino:float32", "conv_transpose", ALL, NARROW, ()),
    ("openvino:float32", "max_pool", ALL, NARROW, ()),
    ("openvino:float32", "max_pool_with_indices", ALL, NARROW, ()),
    ("openvino:float32", "average_pool", ALL, NARROW, ("ceil_mode",)),
    ("opencv", "conv", ALL, NARROW, ()),
    ("opencv", "conv_transpose", ALL, NARROW, ()),
    ("opencv", "max_pool", ALL, NARROW, ()),
    ("opencv", "average_pool", ALL, NARROW, ("ceil_mode",)),
    ("jax", "conv", ALL, EVERY, ()),
    ("jax", "conv_transpose", ALL, EVERY, ("groups",)),
    ("jax", "max_pool", ALL, EVERY, ("ceil_mode",)),
    ("jax", "average_pool", ALL, EVERY, ("ceil_mode",)),
    ("mlx", "conv", [1, 2], HALF, ()),
    ("mlx", "conv", [3], HALF, ("groups",)),
    ("mlx", "conv_transpose", ALL, HALF, TRANSPOSED[:3]),
    ("mlx", "max_pool", ALL, [*HALF, "float64"], POOLED),
    ("mlx", "average_pool", ALL, [*HALF, "float64"], POOLED),
    ("tensorflow", "conv", [1, 2], EVERY, ("stride",)),
    ("tensorflow", "conv", [1, 2], EVERY, ("dilation",)),
    ("tensorflow", "conv", [3], EVERY, ("stride", "groups")),
    ("tensorflow", "conv_transpose", ALL, EVERY, TRANSPOSED),
    ("tensorflow", "max_pool", [1, 2], EVERY, ("dilation", "ceil_mode")),
    ("tensorflow", "max_pool", [3], ["float32", "bfloat16"], ("dilation", "ceil_mode")),
    ("tensorflow", "average_pool", [1, 2], EVERY, ("dilation", "ceil_mode")),
    ("tensorflow", "average_pool", [3], ["float32", "bfloat16"], ("dilation", "ceil_mode")),
]
CASES = [
    (target, operation, rank, dtype, lacks)
    for target, operation, ranks, dtypes, lacks in COVERED
    for rank in ranks
    for dtype in dtypes
]
NAMES = ["target", "operation", "rank", "dtype", "lacks"]


def near(actual, expected):
    """Averages of sixteen numbers from 0 on round eighteen times, each by half a unit."""
    assert actual.dtype == expected.dtype
    unit = 2.0 ** -{"float16": 10, "bfloat16": 7, "float32": 23, "float64": 52}[actual.dtype.name]
    actual, expected = actual.astype("float64"), expected.astype("float64")
    numpy.testing.assert_allclose(actual, expected, rtol=0, atol=9 * unit * expected.max())


@pytest.mark.parametrize(NAMES, CASES)
def test_operations_are_covered(target, operation, rank, dtype, lacks):
    implementation = adapter(target)  # which brings NumPy its bfloat16
    operands, attributes = case(operation, rank, dtype, lacks)
    actual = getattr(implementation, operation)(*operands, **attributes)
    expected = getattr(convspec, operation)(*operands, **attributes)
    (near if operation == "average_pool" else agree)(actual, expected)


@pytest.mark.parametrize(NAMES, [row for row in CASES if row[0] in ("jax", "mlx", "tensorflow")])
def test_gradients_are_covered(target, operation, rank, dtype, lacks):
    implementation = adapter(target)
    if (target, operation) == ("jax", "max_pool"):
        lacks = (*lacks, "dilation")  # JAX differentiates no dilated maximum
    if (target, operation) == ("tensorflow", "conv") and dtype != "float32":
        lacks = (*lacks, "groups")  # which oneDNN alone differentiates
    operands, attributes = case(operation, rank, dtype, lacks)
    shape = getattr(convspec, operation)(*operands, **attributes).shape
    # Multiples of every divisor, so that shares of an average are integers.
    cotangent = 64 * integers(*shape, dtype=dtype)
    name = f"{operation}_vjp"
    actual = getattr(implementation, name)(cotangent, *operands, **attributes)
    agree(tuple(actual), getattr(convspec, name)(cotangent, *operands, **attributes))


@pytest.mark.parametrize("dtype", BOTH)
@pytest.mark.parametrize("rank", [1, 2])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("operation", ["convolve", "correlate"])
def test_jax_covers_signals_and_their_gradients(operation, mode, rank, dtype):
    implementation = adapter("jax")
    f, g = integers(*(6, 5)[:rank], dtype=dtype), integers(*(3, 2)[:rank], dtype=dtype)
    expected = getattr(convspec, operation)(f, g, mode)
    agree(getattr(implementation, operation)(f, g, mode=mode), expected)
    name = f"{operation}_vjp"
    actual = getattr(implementation, name)(expected, f, g, mode=mode)
    agree(actual, getattr(convspec, name)(expected, f, g, mode))


def test_jax_keeps_few_of_what_it_compiled():
    """Each takes several of the mappings that a process may have, at whose end it is ended."""
    implementation = adapter("jax")
    from jax.extend import backend

    def compiled():
        return len(backend.get_backend().live_executables())

    def call(size):
        f, g = integers(size), integers(2)
        agree(implementation.convolve(f, g), convspec.convolve(f, g))

    most = implementation.GEOMETRIES
    for size in range(2, 2 + most):
        call(size)
    before = compiled()
    for size in range(2 + most, 2 + 2 * most):
        call(size)
    assert compiled() <= before


@pytest.mark.parametrize("dtype", BOTH)
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_mlx_convolves_on_one_axis(mode, dtype):
    f, g = integers(6, dtype=dtype), integers(3, dtype=dtype)
    agree(adapter("mlx").convolve(f, g, mode=mode), convspec.convolve(f, g, mode))
    with pytest.raises(NotImplementedError, match="one axis"):
        adapter("mlx").convolve(f[None], g[None], mode=mode)


# Operations with tests of their own, beside those of COVERED.
APART = {
    "jax": {"convolve", "correlate"},
    "mlx": {"convolve"},
    "opencv": {"correlate", "max_pool_with_indices"},
    "skimage": {"average_pool", "correlate", "max_pool", "upsample"},
}
DIFFERENTIATED = {"jax", "mlx", "tensorflow"}


@pytest.mark.parametrize("target", NEEDS)
def test_every_operation_that_is_offered_has_its_least(target):
    # `openvino` is `openvino:float32` but for its precision.
    named = {"openvino": "openvino:float32"}.get(target, target)
    stated = {row[1] for row in COVERED if row[0] == named} | APART.get(target, set())
    if target in DIFFERENTIATED:
        undifferentiated = {"convolve"} if target == "mlx" else set()
        stated |= {f"{operation}_vjp" for operation in stated - undifferentiated}
    assert set(operations_offered(adapter(target))) == stated


def test_opencv_correlates_by_filter2d():
    f, g = integers(5, 6), integers(3, 3)
    agree(adapter("opencv").correlate(f, g, mode="same"), convspec.correlate(f, g, "same"))


@pytest.mark.parametrize("dtype", BOTH)
@pytest.mark.parametrize("rank", ALL)
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
@pytest.mark.parametrize("rank", ALL)
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


@pytest.mark.parametrize(
    "target", ["onnxruntime", "onnx-reference", "openvino:float32", "opencv", "jax", "tensorflow"]
)
def test_a_missing_bias_and_views_are_taken_and_results_kept(target):
    implementation = adapter(target)
    (input, weight, _), attributes = case("conv", 2, "float32", ("stride", "groups"))
    expected = convspec.conv(input, weight, **attributes)
    flipped = numpy.flip(numpy.flip(input).copy())
    actual = implementation.conv(flipped, weight, **attributes)
    agree(numpy.asarray(actual), expected)
    implementation.conv(input + 1, weight, **attributes)
    agree(numpy.asarray(actual), expected)


@pytest.mark.parametrize(
    ("target", "operation", "rank", "change", "reason"),
    [
        ("onnxruntime", "max_pool", 1, {"padding": ((4, 0),)}, "less than its kernel"),
        ("opencv", "max_pool_with_indices", 1, {}, "two dimensions"),
        ("jax", "conv_transpose", 2, {}, "no groups"),
        ("skimage", "max_pool", 1, {}, "the stride is the kernel"),
        ("skimage", "max_pool", 1, {"stride": (4,)}, "neither padding nor dilation"),
        ("jax", "max_pool", 2, {}, "no ceil mode"),
        ("jax", "average_pool", 2, {}, "no ceil mode"),
        ("mlx", "conv", 3, {}, "no kernel for this type or grouping"),
        ("mlx", "conv_transpose", 2, {}, "no groups"),
        ("mlx", "conv_transpose", 2, {"groups": 1}, "both sides"),
        ("mlx", "max_pool", 2, {}, "neither ceil mode nor dilation"),
        ("mlx", "average_pool", 1, {"padding": ((1, 1),), "count_include_pad": False}, "count"),
        ("tensorflow", "conv", 2, {}, "not both"),
        ("tensorflow", "conv", 3, {"dilation": (1, 1, 1)}, "no groups"),
        ("tensorflow", "conv_transpose", 2, {}, "no groups"),
        ("tensorflow", "conv_transpose", 2, {"groups": 1}, "two words alone"),
        ("tensorflow", "max_pool", 1, {}, "no ceil mode"),
        (
            "tensorflow",
            "average_pool",
            1,
            {"ceil_mode": False, "count_include_pad": False},
            "no amount of padding",
        ),
        (
            "openvino:float32",
            "average_pool",
            1,
            {"padding": ((4, 0),), "count_include_pad": False},
            "less than the kernel",
        ),
    ],
)
def test_what_a_package_lacks_is_unsupported(target, operation, rank, change, reason):
    operands, attributes = case(operation, rank, "float32")
    with pytest.raises(NotImplementedError, match=reason):
        getattr(adapter(target), operation)(*operands, **{**attributes, **change})


def test_onnxruntime_has_no_double_convolution():
    operands, attributes = case("conv", 1, "float64")
    with pytest.raises(NotImplementedError, match="no kernel for this type"):
        adapter("onnxruntime").conv(*operands, **attributes)


@pytest.mark.parametrize("target", ["openvino:float32", "jax"])
def test_a_bias_that_would_repeat_is_refused(target):
    operands, attributes = case("conv", 1, "float32")
    operands[2] = operands[2][:1]
    with pytest.raises((RuntimeError, TypeError, ValueError)):
        adapter(target).conv(*operands, **attributes)


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


BACKEND = """
from unittest import SkipTest

import numpy
from onnx.backend.base import Backend, BackendRep
from onnx.reference import ReferenceEvaluator


class Representation(BackendRep):
    def __init__(self, model):
        self.evaluator = ReferenceEvaluator(model)

    def run(self, inputs, **options):
        return tuple(self.evaluator.run(None, dict(zip(self.evaluator.input_names, inputs))))


class Reference(Backend):
    @classmethod
    def is_compatible(cls, model, device="CPU", **options):
        return model.graph.node[0].op_type != "AveragePool"

    @classmethod
    def prepare(cls, model, device="CPU", **options):
        if model.graph.node[0].op_type == "MaxPool":
            raise SkipTest("no maxima here")
        return Representation(model)

    @classmethod
    def supports_device(cls, device):
        return device == "CPU"
"""


@pytest.fixture
def backend(tmp_path):
    pytest.importorskip("onnx", reason="needs convspec[onnx]")
    file = tmp_path / "runtime.py"
    file.write_text(BACKEND, encoding="utf-8")
    return file


def test_any_onnx_backend_is_an_implementation(backend):
    implementation = load(f"onnx:{backend}:Reference")
    assert implementation.name == f"onnx:{backend}:Reference"
    operands, attributes = case("conv", 2, "float32")
    agree(implementation.conv(*operands, **attributes), convspec.conv(*operands, **attributes))


def test_what_an_onnx_backend_declines_is_unsupported(backend):
    implementation = load(f"onnx:{backend}:Reference")
    for operation, reason in [("average_pool", "not compatible"), ("max_pool", "no maxima here")]:
        operands, attributes = case(operation, 2, "float32")
        with pytest.raises(NotImplementedError, match=reason):
            getattr(implementation, operation)(*operands, **attributes)


def test_what_is_no_onnx_backend_is_said_in_one_line(backend):
    with pytest.raises(TargetError, match="it has no is_compatible"):
        load(f"onnx:{backend}:Representation")
    with pytest.raises(TargetError, match="there is no Absent"):
        load(f"onnx:{backend}:Absent")
