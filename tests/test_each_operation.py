"""What holds of every operation alike: the dtypes of results, what an attribute is when it is left
out, the smallest call, and what a message says that an operand must be.
"""

from __future__ import annotations

from inspect import signature

import numpy
import pytest

from convspec.arguments import described
from convspec.operations import OPERATIONS
from tests.valid_calls import NAMES, shape_of, valid_call

# How wide a result is.

BILINEAR = ("convolve_vjp", "correlate_vjp")


def retyped(value, dtype):
    """An operand in another dtype; what holds places or labels stays as it is."""
    if isinstance(value, list):
        return [retyped(one, dtype) for one in value]
    return value if value.dtype.kind == "i" else value.astype(dtype)


def results(name, operands, attributes):
    """The arrays that a call returns, without the indices of `max_pool_with_indices`."""
    found = valid_call(name).function(*operands.values(), **attributes)
    return found[:1] if name == "max_pool_with_indices" else found


def counts(name, operand, place):
    """Whether an operand counts for the dtype of a result: of the cotangent at this place, in a
    `_vjp`.
    """
    row = OPERATIONS[name.removesuffix("_vjp")]
    if operand in row.discrete:
        return False
    if name == row.name or operand == "cotangent":
        return True
    if name in BILINEAR:  # that of f is made of g alone, and that of g of f
        return row.operands.index(operand) != place
    # That of a bias is made of no other operand, and no other is made of the bias.
    return (operand == "bias") == (row.operands[place:] == ("bias",))


WIDE = [(name, operand) for name in NAMES for operand in valid_call(name).operands]


@pytest.mark.parametrize(("name", "operand"), WIDE)
def test_a_result_is_as_wide_as_the_widest_operand_that_it_is_made_of(name, operand):
    call = valid_call(name)
    operands = {given: retyped(value, "float16") for given, value in call.operands.items()}
    operands[operand] = retyped(call.operands[operand], "float32")
    found = results(name, operands, call.attributes)
    found = found if isinstance(found, tuple) else (found,)
    wide = [counts(name, operand, place) for place in range(len(found))]
    assert [d.dtype for d in found] == ["float32" if wider else "float16" for wider in wide]


@pytest.mark.parametrize("name", ["spatially_separable_conv", "spatially_separable_conv_vjp"])
@pytest.mark.parametrize("axis", [0, 1])
def test_one_wide_factor_is_enough(name, axis):
    call = valid_call(name)
    operands = {given: retyped(value, "float16") for given, value in call.operands.items()}
    operands["factors"][axis] = operands["factors"][axis].astype("float32")
    found = results(name, operands, call.attributes)
    assert {d.dtype for d in (found if isinstance(found, tuple) else (found,))} == {
        numpy.dtype("float32")
    }


# Whose values on integers are no integers, with the attributes of the valid call.
REAL = {
    *("average_pool", "lp_pool", "distance_weighted_pool", "adaptive_average_pool"),
    *("upsample", "sigmoid", "tanh", "softmax", "dropout", "cross_entropy", "l2_penalty"),
    *("batch_norm", "local_response_normalization"),
}


@pytest.mark.parametrize("name", NAMES)
def test_integers_give_integers_or_numbers_that_are_no_integers(name):
    call = valid_call(name)
    operands = {given: retyped(value, "int8") for given, value in call.operands.items()}
    found = results(name, operands, call.attributes)
    real = name.removesuffix("_vjp") in REAL
    for d in found if isinstance(found, tuple) else (found,):
        assert d.dtype == ("float64" if real else "int64")


@pytest.mark.parametrize("suffix", ["", "_vjp"])
@pytest.mark.parametrize(
    ("name", "kind", "dtype"),
    [
        ("upsample", "nearest", "int64"),
        ("resize_conv", "linear", "float64"),
        ("spatial_pyramid_pool", "average", "float64"),
    ],
)
def test_the_kind_says_whether_integers_stay_integers(name, suffix, kind, dtype):
    call = valid_call(name + suffix)
    operands = {given: retyped(value, "int8") for given, value in call.operands.items()}
    found = results(call.name, operands, {**call.attributes, "kind": kind})
    for d in found[:2] if isinstance(found, tuple) else (found,):
        assert d.dtype == dtype


# What is left out.

DEFAULTS = {
    "mode": "full",
    "stride": 1,
    "padding": 0,
    "dilation": 1,
    "output_padding": 0,
    "ceil_mode": False,
    "count_include_pad": False,
    "p": 2,
    "axis": 1,
    "coordinates": "half_pixel",
}
KINDS = {"spatial_pyramid_pool": "max", "upsample": "nearest", "resize_conv": "nearest"}
# Of 5 by 6 positions, a kernel of 2 by 3 leaves 4 by 4.
UNPADDED = {"weight": numpy.ones((3, 4, 4, 4, 2, 3)), "bias": numpy.ones((3, 4, 4))}


def defaults(name, attributes):
    """The attributes that an operation may be called without, and what they then are."""
    own = signature(OPERATIONS[name].definition).parameters
    known = {**DEFAULTS, "kind": KINDS.get(name)}
    if "kernel_size" in own:
        known["stride"] = attributes["kernel_size"]
    return {given: value for given, value in known.items() if given in own}


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_attribute_that_is_left_out_is_its_default(name):
    row, call = OPERATIONS[name], valid_call(name)
    spelled = defaults(name, call.attributes)
    others = {given: value for given, value in call.attributes.items() if given not in spelled}
    operands = {**call.operands, **(UNPADDED if name == "locally_connected" else {})}.values()
    shapes = list(map(shape_of, operands))
    assert row.shape(*shapes, **others) == row.shape(*shapes, **others, **spelled)
    cotangent = numpy.ones(row.shape(*shapes, **others))
    for short, long in (
        (row.definition(*operands, **others), row.definition(*operands, **others, **spelled)),
        *zip(
            row.vjp(cotangent, *operands, **others),
            row.vjp(cotangent, *operands, **others, **spelled),
            strict=True,
        ),
    ):
        numpy.testing.assert_array_equal(short, long)


# What is as small as can be.

LEAST = {
    **dict.fromkeys(("kernel_size", "output_size", "scale", "factor", "size", "p"), 1),
    **dict.fromkeys(("count", "rate", "strength", "epsilon", "alpha", "beta"), 0),
    "levels": [1],
    "k": 0.5,
}


@pytest.mark.parametrize("name", NAMES)
def test_sizes_of_one_are_enough_and_every_limit_is_allowed(name):
    call, row = valid_call(name), OPERATIONS[name.removesuffix("_vjp")]
    parameters = set(signature(row.definition).parameters) - set(row.operands)
    attributes = {given: value for given, value in LEAST.items() if given in parameters}

    def smallest(value):
        if isinstance(value, list):
            return [numpy.ones(1) for _ in value]
        return numpy.zeros((1,) * value.ndim, value.dtype) + (value.dtype.kind != "i")

    operands = {given: smallest(value) for given, value in call.operands.items()}
    found = call.function(*operands.values(), **attributes)
    assert {numpy.size(d) for d in (found if isinstance(found, tuple) else (found,))} == {1}


# What a message says.


def refusals(name, **changed):
    """What the shape function, the definition and the derivative say of a call in which operands
    have these shapes, and the shapes that a message quotes.
    """
    row, call = OPERATIONS[name], valid_call(name)
    operands = {
        given: numpy.ones(changed[given], value.dtype) if given in changed else value
        for given, value in call.operands.items()
        if given != "bias" or "bias" in changed
    }
    shapes = {given: shape_of(value) for given, value in operands.items()}
    messages = []
    for function, given in (
        (row.shape, shapes.values()),
        (row.definition, operands.values()),
        (row.vjp, (1, *operands.values())),
    ):
        with pytest.raises(ValueError, match=r"must be|spans") as caught:
            function(*given, **call.attributes)
        messages.append(str(caught.value))
    return messages, quoted(shapes)


def quoted(shapes):
    factors = shapes.get("factors")
    arrays = described(**{given: shape for given, shape in shapes.items() if given != "factors"})
    return arrays if factors is None else f"{arrays}, factors have shapes {factors}"


# Of a pooling, whose only operand has been named, the shape is not said twice.
LAID_OUT = [
    name
    for name in OPERATIONS
    if (valid_call(name).operands.get("input", numpy.ones(1)).ndim == 4 or name == "max_unpool")
    and "kernel_size" not in valid_call(name).attributes
]


@pytest.mark.parametrize("name", LAID_OUT)
def test_an_input_is_told_its_layout(name):
    first = OPERATIONS[name].operands[0]
    least = 2 if name in ("flatten", "batch_norm", "local_response_normalization") else 3
    short = (2, 4)[: least - 1]
    messages, shapes = refusals(name, **{first: short})
    assert set(messages) == {
        f"{first} has shape {short}: must be (N, C, *spatial), at least {least} axes; {shapes}"
    }


OTHERS = "every size at least 1 and as many axes as the input"
WANTED = [
    ("depthwise_conv", "weight", f"(C m, 1, *kernel) with C = 4, {OTHERS}"),
    ("depthwise_separable_conv", "depthwise", f"(C m, 1, *kernel) with C = 4, {OTHERS}"),
    ("depthwise_separable_conv", "pointwise", "(O, C m) with C m = 8"),
    ("pointwise_conv", "weight", "(O, C) with C = 4"),
    ("resize_conv", "weight", f"(O, C, *kernel) with C = 4, {OTHERS}"),
    (
        "locally_connected",
        "weight",
        "(O, C, *output, *kernel) with C = 4, 6 axes and every size at least 1",
    ),
    ("linear", "weight", "(O, D) with D = 4"),
    ("batch_norm", "mean", "(C,) = (4,)"),
    ("batch_norm", "variance", "(C,) = (4,)"),
    ("batch_norm", "scale", "(C,) = (4,)"),
    ("batch_norm", "shift", "(C,) = (4,)"),
    ("max_unpool", "indices", "that of values"),
    ("dropout", "mask", "that of the input"),
    ("cross_entropy", "labels", "(N,) = (2,)"),
    ("conv", "bias", "(O,) = (6,)"),
    ("depthwise_conv", "bias", "(C m,) = (8,)"),
    ("depthwise_separable_conv", "bias", "(O,) = (3,)"),
    ("pointwise_conv", "bias", "(O,) = (3,)"),
    ("resize_conv", "bias", "(O,) = (3,)"),
    ("locally_connected", "bias", "(O, *output) = (3, 3, 6)"),
    ("linear", "bias", "(O,) = (2,)"),
]


@pytest.mark.parametrize(("name", "operand", "wanted"), WANTED)
def test_an_operand_is_told_what_it_must_be(name, operand, wanted):
    """One axis too few, or one of them empty."""
    shape = numpy.shape(valid_call(name).operands[operand])
    empty = [(*shape[:axis], 0, *shape[axis + 1 :]) for axis in range(len(shape))]
    for wrong in (shape[:-1], *empty):
        messages, shapes = refusals(name, **{operand: wrong})
        assert set(messages) == {f"{operand} has shape {wrong}: must be {wanted}; {shapes}"}


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_cotangent_is_told_the_output_shape(name):
    call = valid_call(f"{name}_vjp")
    shape = call.operands.pop("cotangent").shape
    with pytest.raises(ValueError, match="cotangent") as caught:
        call.function(numpy.ones((9, 9, 9)), *call.operands.values(), **call.attributes)
    shapes = {given: shape_of(value) for given, value in call.operands.items()}
    assert str(caught.value) == (
        f"cotangent has shape (9, 9, 9): must be the output shape = {shape}; {quoted(shapes)}"
    )


# A kernel of 9 on the second axis.
LONG = {
    "depthwise_conv": {"weight": (8, 1, 2, 9)},
    "depthwise_separable_conv": {"depthwise": (8, 1, 2, 9)},
    "locally_connected": {"weight": (3, 4, 3, 6, 2, 9)},
    "resize_conv": {"weight": (3, 4, 2, 9)},
}


@pytest.mark.parametrize("name", LONG)
def test_a_kernel_that_does_not_fit_is_told_so(name):
    """By hand: 6 positions and one of padding on either side."""
    messages, shapes = refusals(name, **LONG[name])
    for message in messages:
        assert message == (
            "kernel 9 with dilation 1 spans 9 positions on spatial axis 1, but the input with "
            f"padding (1, 1) has only 8; {shapes}"
        )


# Two kernels that fit on padding alone.
PADDED = {
    "depthwise_conv": {"weight": (4, 1, 3)},
    "depthwise_separable_conv": {"depthwise": (4, 1, 3), "pointwise": (1, 4)},
    "locally_connected": {"weight": (1, 4, 2, 3)},
    "resize_conv": {"weight": (1, 4, 3)},
}


@pytest.mark.parametrize("name", PADDED)
def test_a_kernel_fits_where_padding_makes_room(name):
    """By hand: 2 positions and 2 of padding hold a kernel of 3 in two places."""
    row = OPERATIONS[name]
    operands = [numpy.ones((1, 4, 2)), *map(numpy.ones, PADDED[name].values())]
    attributes = {"padding": 1, **({"scale": 1} if name == "resize_conv" else {})}
    y = row.definition(*operands, **attributes)
    assert y.shape[2:] == (2,)
    assert row.vjp(y, *operands, **attributes)[0].shape == (1, 4, 2)


INFINITE = {
    "locally_connected": ([[[1.0]], [[1.0]]], [[[[1.0]]]], [[0.0]]),
    "spatial_pyramid_pool": ([[[1.0]]],),
}


@pytest.mark.parametrize("name", INFINITE)
def test_cotangents_of_opposite_infinities_have_no_sum(name):
    """NaN, without a warning: the cotangents of two items, or of two levels, meet in one number."""
    infinities = numpy.array([numpy.inf, -numpy.inf])
    if name == "locally_connected":
        cotangent, attributes = infinities.reshape(2, 1, 1), {}
    else:
        cotangent, attributes = infinities.reshape(1, 2), {"levels": [1, 1]}
    *_, last = OPERATIONS[name].vjp(cotangent, *INFINITE[name], **attributes)
    assert numpy.isnan(last).all()


def test_sums_of_integers_are_exact_from_the_first_term():
    """No float64 holds 2^53 + 1."""
    odd = 2**53 + 1
    *_, d_bias = OPERATIONS["locally_connected"].vjp([[[odd]]], [[[1]]], [[[[1]]]], [[0]])
    (d_input,) = OPERATIONS["spatial_pyramid_pool"].vjp([[odd]], [[[1]]], levels=[1])
    assert (d_bias.item(), d_input.item()) == (odd, odd)
