"""The vectorised twins are their definitions: exact on exact numbers, rounded alike on floats."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from fractions import Fraction
from inspect import signature
from itertools import product
from math import expm1, log1p, prod
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convspec import fast
from convspec.case import Case, forward_name
from convspec.fast import blocks, pooling, products
from convspec.operations import OPERATIONS
from convspec.strategies import calls

FORWARD = [
    "convolve",
    "correlate",
    "conv",
    "conv_transpose",
    "max_pool",
    "max_pool_with_indices",
    "average_pool",
]
NAMES = [*FORWARD, *(f"{name}_vjp" for name in FORWARD)]
PRODUCTS = [name for name in NAMES if OPERATIONS[forward_name(name)].rounding == "products"]
FLOATS = ["float16", "float32", "float64"]


def definition(name: str) -> Callable[..., Any]:
    row = OPERATIONS[forward_name(name)]
    return row.vjp if name.endswith("_vjp") else row.definition


def outputs(function: Callable[..., Any], case: Case) -> tuple[Any, ...]:
    found = function(*case.operands.values(), **case.attributes)
    return found if isinstance(found, tuple) else (found,)


def both(case: Case) -> Iterator[tuple[Any, Any]]:
    """What the definition and the twin give, output by output, of the same shape and dtype."""
    expected = outputs(definition(case.operation), case)
    actual = outputs(getattr(fast, case.operation), case)
    assert len(actual) == len(expected)
    for one, other in zip(expected, actual, strict=True):
        assert (other.shape, other.dtype) == (one.shape, one.dtype)
        yield one, other


def assert_exact(case: Case) -> None:
    for expected, actual in both(case):
        assert numpy.array_equal(actual, expected, equal_nan=expected.dtype.kind == "f")


def rounding_growth(roundings: int, unit: float) -> float:
    """$(1 + u)^n - 1$, which loses its digits when computed as it is written."""
    return expm1(roundings * log1p(unit))


def assert_shared_evenly(case: Case, dtype: str) -> None:
    """Within the rounding of `average_pool_vjp`, in the definition and in the twin.

    Each makes one division, at most one addition a tap, and stores once: every result is within
    $((1+u)^{k+2} - 1) \\sum |\\bar y| / m$ of the exact one.
    """
    roundings = prod(case.attributes["kernel_size"]) + 2
    growth = rounding_growth(roundings, float(numpy.finfo(dtype).eps) / 2)
    magnitudes = {**case.operands, "cotangent": abs(case.operands["cotangent"].astype("float64"))}
    (scale,) = outputs(definition(case.operation), case._replace(operands=magnitudes))
    for expected, actual in both(case):
        distance = abs(actual.astype("float64") - expected.astype("float64"))
        assert (distance <= 2 * growth * scale).all()


@contextmanager
def buffers_of(size: int) -> Iterator[None]:
    """Buffers of a few bytes, so that small cases take many blocks of every kind."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BUFFER", size)
        patch.setattr(products, "COLUMNS", 16)
        patch.setattr(pooling, "COLUMNS", 40)
        patch.setattr(products, "NARROWEST", 2)
        yield


# One context for each example: the whole case in one block, or in blocks of several sizes.
BLOCKS = st.sampled_from([0, 96, 48, 16]).map(
    lambda size: buffers_of(size) if size else nullcontext()
)


def test_the_twins_have_the_definitions_signatures() -> None:
    offered = [name for name in fast.__all__ if callable(getattr(fast, name))]
    assert set(offered) >= set(NAMES)
    for name in offered:
        assert signature(getattr(fast, name)) == signature(definition(name))


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_equal_on_integers(name: str, data: st.DataObject) -> None:
    dtype = data.draw(st.sampled_from(["float32", "float16", "float64", "int64", "int8", "uint16"]))
    case = data.draw(calls(name, dtype=dtype))
    with data.draw(BLOCKS):
        if name == "average_pool_vjp":
            assert_shared_evenly(case, dtype if dtype in FLOATS else "float64")
        else:
            assert_exact(case)


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_equal_on_fractions(name: str, data: st.DataObject) -> None:
    fractions = st.fractions(-9, 9, max_denominator=7)
    case = data.draw(calls(name, dtype=object, elements=fractions))
    with data.draw(BLOCKS):
        assert_exact(case)
        first, *_ = outputs(getattr(fast, name), case)
    assert {type(value) for value in first.flat} <= {Fraction, int}


def near_powers(bits: int) -> st.SearchStrategy[int]:
    """Integers next to powers of two, where float64 and int64 stop being exact."""
    return st.builds(
        lambda power, step, sign: (
            sign * (2**power + step) if power < bits else sign * (2**bits - 1)
        ),
        st.integers(20, bits),
        st.integers(-1, 1),
        st.sampled_from([1, -1]),
    )


LARGE_INTEGERS = {
    "int64": near_powers(63),
    "int32": near_powers(31),
    "uint64": near_powers(64).map(abs),
    "object": near_powers(200),
}


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_exact_beyond_the_machine_integers(name: str, data: st.DataObject) -> None:
    dtype = data.draw(st.sampled_from(sorted(LARGE_INTEGERS)))
    case = data.draw(calls(name, dtype=dtype, elements=LARGE_INTEGERS[dtype]))
    with data.draw(BLOCKS):
        if name == "average_pool_vjp":
            assert_shared_evenly(case, "float64")
        else:
            assert_exact(case)


@pytest.mark.parametrize("value", [2**52 + 1, 2**61 + 1])
@pytest.mark.parametrize("terms", [3, 5, 17])
def test_every_sum_counts_its_terms(value: int, terms: int) -> None:
    """Each term alone is exact in the narrower arithmetic, but their number makes it too narrow."""
    x, w, g = (numpy.full((1, terms, 1), n, dtype="int64") for n in (value, 1, 1))
    along, total = x.reshape(1, 1, terms), terms * value
    assert fast.conv(x, w).item() == total
    assert fast.conv(along, w.reshape(1, 1, terms)).item() == total
    assert fast.conv(x[:, :1], w[:, :1], w[0, :1, 0] * value).item() == 2 * value
    assert fast.conv_transpose(x, w.reshape(terms, 1, 1)).item() == total
    assert fast.conv_transpose(along, w.reshape(1, 1, terms), padding=terms - 1).item() == total
    assert fast.convolve(along[0, 0], w[0, :, 0], "valid").item() == total
    weight = w.reshape(terms, 1, 1)
    d_x, _, d_b = fast.conv_vjp(x, g[:, :1], weight, w[0, :, 0])
    assert (d_x.item(), d_b.tolist()) == (total, [value] * terms)
    _, d_w, d_b = fast.conv_vjp(along, along * 0 + 1, w[:, :1], w[0, :1, 0])
    assert (d_w.item(), d_b.item()) == (total, total)
    d_x, d_w, _ = fast.conv_transpose_vjp(x, g[:, :1], w, w[0, :, 0])
    assert (d_x.item(), d_w.tolist()) == (total, x.tolist())
    _, d_w = fast.conv_transpose_vjp(along, along * 0 + 1, w[:, :1])
    assert d_w.item() == total
    (d_x,) = fast.max_pool_vjp(
        along,
        numpy.flip(numpy.arange(terms)).reshape(along.shape).copy(),
        kernel_size=terms,
        stride=1,
        padding=((terms - 1, 0),),
    )
    assert d_x[0, 0, 0] == total
    d_f, _ = fast.convolve_vjp(along[0, 0], [1], w[0, :, 0])
    assert d_f.item() == total
    d_f, d_g = fast.convolve_vjp(numpy.full(2 * terms - 1, value), w[0, :, 0], w[0, :, 0])
    assert d_f.tolist() == d_g.tolist() == [total] * terms


@pytest.mark.parametrize("terms", [3, 5, 17, 33, 65])
def test_averages_of_integers_round_once(terms: int) -> None:
    """The sum passes 2**53, so that summing in float64 would round before the division does."""
    values = [2**52 + 2 * i * i + 1 for i in range(terms)]
    x = numpy.array(values).reshape(1, 1, terms)
    assert fast.average_pool(x, kernel_size=terms).item() == sum(values) / terms


SPECIAL = st.sampled_from([1.0, 0.0, -2.0, numpy.inf, -numpy.inf, numpy.nan])


@pytest.mark.parametrize("name", [name for name in NAMES if name != "average_pool_vjp"])
@given(data=st.data())
def test_special_values_reach_the_same_outputs(name: str, data: st.DataObject) -> None:
    dtype = data.draw(st.sampled_from(FLOATS))
    case = data.draw(calls(name, dtype=dtype, elements=SPECIAL))
    with data.draw(BLOCKS):
        assert_exact(case)


@given(data=st.data())
def test_special_values_reach_the_same_shares(data: st.DataObject) -> None:
    case = data.draw(calls("average_pool_vjp", elements=SPECIAL))
    for expected, actual in both(case):
        assert numpy.array_equal(numpy.isnan(actual), numpy.isnan(expected))
        assert numpy.array_equal(actual[numpy.isinf(expected)], expected[numpy.isinf(expected)])


def test_an_infinite_weight_on_padding_contributes_nothing() -> None:
    x, w = numpy.array([[[1.0, 2.0]]]), numpy.array([[[numpy.inf, 1.0]]])
    assert fast.conv(x, w, padding=((1, 0),)).tolist() == [[[1.0, numpy.inf]]]


def test_the_first_of_equal_maxima_and_the_first_nan() -> None:
    nan = numpy.nan
    x = numpy.array([[[3.0, 3.0, 1.0, nan, 5.0, nan, -numpy.inf, -numpy.inf]]])
    values, indices = fast.max_pool_with_indices(x, kernel_size=2)
    assert numpy.array_equal(values, [[[3.0, nan, nan, -numpy.inf]]], equal_nan=True)
    assert indices.tolist() == [[[0, 3, 5, 6]]]


@pytest.mark.parametrize("name", PRODUCTS)
@given(data=st.data())
def test_floats_within_the_rounding_bound(name: str, data: st.DataObject) -> None:
    """A sum of at most n products differs by at most $((1+u)^n - 1) M$; the twin stores once more
    than it sums, and so does the definition.
    """
    dtype = data.draw(st.sampled_from(FLOATS))
    unit_interval = st.integers(-(2**11), 2**11).map(lambda i: i / 2**11)
    case = data.draw(calls(name, dtype=dtype, elements=unit_interval))
    terms = sum(operand.size for operand in case.operands.values()) + prod(
        case.attributes.get("kernel_size", ())
    )
    info = numpy.finfo(dtype)
    growth = rounding_growth(terms + 2, float(info.eps) / 2)
    magnitudes = {key: abs(operand.astype("float64")) for key, operand in case.operands.items()}
    scales = outputs(definition(name), case._replace(operands=magnitudes))
    for (expected, actual), scale in zip(both(case), scales, strict=True):
        distance = abs(actual.astype("float64") - expected.astype("float64"))
        # Storing below the smallest normal is off by half a subnormal at most, in each of the two.
        assert (distance <= 2 * growth * scale + float(info.smallest_subnormal)).all()


def test_float16_sums_are_not_kept_in_float16() -> None:
    """Ones summed in float16 stall at 2048, where the next integer is no longer representable."""
    many = numpy.ones((1, 4096, 1), "float16")
    one = numpy.ones((1, 1, 1), "float16")
    along = many.reshape(1, 1, 4096)
    assert fast.conv(many, many).item() == 4096
    assert fast.conv(along, along).item() == 4096
    assert fast.conv_transpose(many, many.reshape(4096, 1, 1)).item() == 4096
    assert fast.conv_transpose(along, along, padding=4095).item() == 4096
    gradients = fast.conv_vjp(along, along, one, numpy.ones(1, "float16"))
    assert [gradient.max() for gradient in gradients] == [1, 4096, 4096]
    assert fast.average_pool(along, kernel_size=4096).item() == 1
    (shared,) = fast.max_pool_vjp(along, along, kernel_size=4096, padding=((4095, 0),), stride=1)
    assert shared[0, 0, 0] == 4096
    (shared,) = fast.average_pool_vjp(
        along, along, kernel_size=4096, padding=((4095, 0),), stride=1
    )
    # Input 0 is read by all windows; that of output i holds i + 1 elements.
    exact = sum(Fraction(1, i + 1) for i in range(4096))
    growth = (1 + Fraction(1, 2**24)) ** 4097 * (1 + Fraction(1, 2**11)) - 1
    assert abs(Fraction(float(shared[0, 0, 0])) - exact) <= growth * exact


def odd_views(array: numpy.ndarray) -> Iterator[numpy.ndarray]:
    """The same numbers in other layouts: Fortran order, reversed, every other of a larger array."""
    yield numpy.asfortranarray(array)
    yield numpy.flip(numpy.flip(array).copy())
    larger = numpy.full([2 * n for n in array.shape], 99, dtype=array.dtype)
    index = (slice(1, None, 2),) * array.ndim
    larger[index] = array
    yield larger[index]


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_layouts_do_not_matter_and_arguments_stay(name: str, data: st.DataObject) -> None:
    dtype = data.draw(st.sampled_from(["float32", "int64"]))
    case = data.draw(calls(name, dtype=dtype))
    expected = outputs(getattr(fast, name), case)
    for views in zip(*map(odd_views, case.operands.values()), strict=True):
        for view in views:
            view.setflags(write=False)
        before = [view.copy() for view in views]
        operands = dict(zip(case.operands, views, strict=True))
        actual = outputs(getattr(fast, name), case._replace(operands=operands))
        for one, other in zip(expected, actual, strict=True):
            assert numpy.array_equal(one, other)
            assert not any(numpy.shares_memory(other, view) for view in views)
            assert other.flags.writeable
        assert all(numpy.array_equal(*pair) for pair in zip(before, views, strict=True))


DTYPES = ["int8", "uint8", "int64", "uint64", "float16", "float32", "float64", "object"]


@pytest.mark.parametrize(("one", "other"), list(product(DTYPES, DTYPES)))
@pytest.mark.parametrize("name", NAMES)
def test_the_dtype_table_of_the_definitions(name: str, one: str, other: str) -> None:
    shapes: dict[str, tuple[int, ...]] = {"f": (4,), "g": (2,)}
    attributes: dict[str, Any] = {}
    cotangent: tuple[int, ...] = (5,)
    if forward_name(name).startswith("conv") and forward_name(name) != "convolve":
        shapes = {"input": (1, 1, 4), "weight": (1, 1, 2), "bias": (1,)}
        cotangent = (1, 1, 3) if "transpose" not in name else (1, 1, 5)
    elif "pool" in name:
        shapes, cotangent, attributes = {"input": (1, 1, 4)}, (1, 1, 2), {"kernel_size": 2}
    if name.endswith("_vjp"):
        shapes = {"cotangent": cotangent, **shapes}
    dtypes = [one, *[other] * len(shapes)]
    operands = {
        key: numpy.arange(1, prod(shape) + 1).reshape(shape).astype(dtype)
        for (key, shape), dtype in zip(shapes.items(), dtypes, strict=False)
    }
    assert_exact(Case(name, operands, attributes))


def test_an_empty_batch() -> None:
    x, w = numpy.zeros((0, 2, 5), "float32"), numpy.ones((4, 1, 3), "float32")
    y = fast.conv(x, w, groups=2, padding=1)
    assert (y.shape, y.dtype) == ((0, 4, 5), numpy.float32)
    d_x, d_w, d_b = fast.conv_vjp(y, x, w, numpy.ones(4, "float32"), groups=2, padding=1)
    assert d_x.shape == x.shape
    assert d_w.tolist() == numpy.zeros_like(w).tolist()
    assert d_b.tolist() == [0.0] * 4
    assert fast.max_pool_vjp(x, x, kernel_size=1)[0].shape == x.shape


def test_a_bad_cotangent_is_refused_as_the_definition_refuses_it() -> None:
    for name in NAMES:
        if not name.endswith("_vjp"):
            continue
        case = next(iter(_simple_calls(name)))
        operands = {**case.operands, "cotangent": numpy.zeros((9, 9, 9, 9))}
        messages = []
        for function in (definition(name), getattr(fast, name)):
            with pytest.raises(ValueError, match="cotangent has shape") as refused:
                function(*operands.values(), **case.attributes)
            messages.append(str(refused.value))
        assert messages[0] == messages[1]


def _simple_calls(name: str) -> Iterator[Case]:
    shapes = {"f": (4,), "g": (2,)}
    if "pool" in name:
        shapes = {"input": (1, 1, 4)}
    elif "convolve" not in name and "correlate" not in name:
        shapes = {"input": (1, 1, 4), "weight": (1, 1, 2)}
    operands = {key: numpy.ones(shape) for key, shape in {"cotangent": (), **shapes}.items()}
    yield Case(name, operands, {"kernel_size": 2} if "pool" in name else {})


BAD = [
    ("conv", (numpy.ones((1, 1, 4)), numpy.ones((1, 1, 2))), {"stride": 0}),
    ("conv", (numpy.ones((1, 1, 4)), numpy.ones((1, 1, 2))), {"groups": 2}),
    ("conv", (numpy.ones((1, 1, 4)), numpy.ones((1, 2, 2))), {}),
    ("conv", (numpy.ones((1, 1, 1)), numpy.ones((1, 1, 2))), {}),
    ("conv", (numpy.ones((1, 1, 4), complex), numpy.ones((1, 1, 2))), {}),
    ("conv_transpose", (numpy.ones((1, 1, 4)), numpy.ones((1, 1, 2))), {"output_padding": 1}),
    ("conv_transpose", (numpy.ones((1, 1, 4)), numpy.ones((1, 1, 2))), {"padding": 9}),
    ("convolve", (numpy.ones(4), numpy.ones(2)), {"mode": "other"}),
    ("correlate", (numpy.ones((4, 1)), numpy.ones(2)), {}),
    ("max_pool", (numpy.ones((1, 1, 4)),), {"kernel_size": 2, "padding": 3}),
    ("max_pool_with_indices", (numpy.ones((1, 1, 4)),), {"kernel_size": 2.0}),
    ("average_pool", (numpy.ones((1, 1, 4)),), {"kernel_size": 2, "count_include_pad": 1}),
]


@pytest.mark.parametrize(("name", "operands", "attributes"), BAD)
def test_bad_arguments_are_refused_as_the_definition_refuses_them(
    name: str, operands: tuple[Any, ...], attributes: dict[str, Any]
) -> None:
    refusals = []
    for function in (definition(name), getattr(fast, name)):
        with pytest.raises((ValueError, TypeError)) as refused:
            function(*operands, **attributes)
        refusals.append((refused.type, str(refused.value)))
    assert refusals[0] == refusals[1]


def ones(*shape: int, dtype: str = "float32") -> numpy.ndarray:
    return numpy.ones(shape, dtype)


# Each is far beyond the bound when worked on all at once, as columns or in a wider dtype.
LARGE: dict[str, Callable[[], tuple[str, tuple[Any, ...], dict[str, Any]]]] = {
    "many positions": lambda: ("conv", (ones(4, 16, 160, 160), ones(8, 16, 3, 3)), {"padding": 1}),
    "float16": lambda: (
        "conv",
        (ones(40, 8, 200, 200, dtype="float16"), ones(8, 8, 1, 1, dtype="float16")),
        {},
    ),
    "int8": lambda: (
        "conv",
        (ones(40, 8, 200, 200, dtype="int8"), ones(1, 8, 1, 1, dtype="int8")),
        {},
    ),
    "views": lambda: ("conv", (ones(4, 160, 160, 16).transpose(0, 3, 1, 2), ones(8, 16, 3, 3)), {}),
    "many channels": lambda: ("conv", (ones(1, 400_000, 3), ones(32, 400_000, 1)), {}),
    "converted weight": lambda: (
        "conv",
        (ones(1, 4_000, 3, dtype="int8"), ones(4_000, 4_000, 1, dtype="int8")),
        {},
    ),
    "depthwise": lambda: (
        "conv",
        (ones(1, 300_000, 5), ones(300_000, 1, 3)),
        {"padding": 1, "groups": 300_000},
    ),
    "one enormous window": lambda: ("conv", (ones(1, 1, 40_600), ones(1, 1, 40_000)), {}),
    "not finite": lambda: (
        "conv",
        (ones(4, 16, 160, 160), numpy.full((8, 16, 3, 3), numpy.inf, "float32")),
        {"padding": 1},
    ),
    "gradients": lambda: (
        "conv_vjp",
        (ones(4, 8, 160, 160), ones(4, 16, 160, 160), ones(8, 16, 3, 3)),
        {"padding": 1},
    ),
    "float16 gradients": lambda: (
        "conv_vjp",
        tuple(
            ones(*s, dtype="float16") for s in ((20, 8, 200, 200), (20, 8, 200, 200), (8, 8, 1, 1))
        ),
        {},
    ),
    "float16 gradient of a large weight": lambda: (
        "conv_vjp",
        tuple(ones(*s, dtype="float16") for s in ((1, 5000, 1), (1, 5000, 1), (5000, 5000, 1))),
        {},
    ),
    "transposed": lambda: (
        "conv_transpose",
        (ones(2, 16, 160, 160), ones(16, 8, 5, 5)),
        {"stride": 2},
    ),
    "long signals": lambda: ("convolve_vjp", (ones(3_000_002), ones(3_000_000), ones(3)), {}),
    "maxima": lambda: ("max_pool", (ones(20, 16, 200, 200, dtype="uint8"),), {"kernel_size": 2}),
    "places of maxima": lambda: (
        "max_pool_with_indices",
        (ones(20, 16, 200, 200),),
        {"kernel_size": 3, "stride": 1},
    ),
    "maxima's cotangents": lambda: (
        "max_pool_vjp",
        (ones(20, 16, 198, 198, dtype="float16"), ones(20, 16, 200, 200, dtype="float16")),
        {"kernel_size": 3, "stride": 1},
    ),
    "averages": lambda: (
        "average_pool",
        (ones(20, 16, 200, 200, dtype="int8"),),
        {"kernel_size": 3},
    ),
    "averages' cotangents": lambda: (
        "average_pool_vjp",
        (ones(20, 16, 100, 100, dtype="float16"), ones(20, 16, 200, 200, dtype="float16")),
        {"kernel_size": 2},
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("large", LARGE)
def test_scratch_memory_is_bounded(large: str) -> None:
    name, operands, attributes = LARGE[large]()
    tracemalloc.start()
    try:
        found = getattr(fast, name)(*operands, **attributes)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    results = sum(output.nbytes for output in (found if isinstance(found, tuple) else (found,)))
    assert peak - results <= blocks.SCRATCH
