"""The catalogue: every entry complete, really wrong somewhere, and right where it says it hides."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import partial

import numpy
import pytest

import convspec.fast
from convspec.case import Case, call_windows, forward_name, grouped
from convspec.operations import OPERATIONS
from convspec.oracle.cases.filling import is_valid
from convspec.oracle.deviations import DEVIATIONS
from convspec.oracle.deviations.edits import output_shape
from convspec.oracle.deviations.families import WORDS
from convspec.oracle.deviations.small_cases import small_cases
from convspec.oracle.explanation.replay import agree, replay, right, rounding_bounds
from convspec.oracle.steps.bad_calls import bad_calls
from convspec.oracle.steps.behaviour import emptied, interruptions
from convspec.window import extent
from tests.deviations.planted import (
    ACCEPTING,
    BY_HAND,
    PAIRS,
    REMEMBERING,
    RIGHT_BY_HAND,
    first_showing,
    judged_cases,
    wrong_on,
)

THREAD = re.compile(r"[\w.-]+/[\w.-]+#\d+")


@pytest.mark.parametrize("deviation", DEVIATIONS.values(), ids=lambda d: d.name)
def test_entry_is_complete(deviation):
    assert deviation.sentence.endswith(".")
    assert deviation.hidden
    assert not deviation.hidden.endswith(".")
    assert deviation.operations
    assert len(set(deviation.operations)) == len(deviation.operations)
    assert all(forward_name(operation) in OPERATIONS for operation in deviation.operations)
    assert all(THREAD.fullmatch(thread) for thread in deviation.threads)
    assert deviation.kind in ("mistake", "convention")
    assert deviation.convention is None or deviation.kind == "convention"


def test_there_are_at_least_120_and_no_name_twice():
    assert len(DEVIATIONS) >= 120
    assert all(name == deviation.name for name, deviation in DEVIATIONS.items())


def test_every_operation_and_every_gradient_has_deviations():
    reached = {operation for deviation in DEVIATIONS.values() for operation in deviation.operations}
    assert reached == {*OPERATIONS, *(f"{name}_vjp" for name in OPERATIONS)}


def test_the_catalogue_imports_no_framework():
    program = (
        "import sys, convspec.oracle.deviations\n"
        "assert not {'torch', 'scipy', 'sympy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.once
@pytest.mark.parametrize(("name", "operation"), PAIRS)
def test_deviates(name, operation):
    if name in ACCEPTING or name in REMEMBERING:
        pytest.skip("shows on bad arguments or over several calls: tested below")
    case = BY_HAND[name](operation) if name in BY_HAND else first_showing(name, operation)
    assert case is not None, "agrees with the spec on every case"
    assert not exactly_right(name, case)


def exactly_right(name: str, case: Case) -> bool:
    return agree(wrong_on(name, case), right(case), None)


# What a case must hold for a deviation to hide that no random case holds.
COINCIDENCES: dict[str, dict[str, float]] = {
    "gradients of scale and shift swapped": {"cotangent": 0},
    "gradient of the variance without its half": {"cotangent": 0},
    "gradient of the mean with the wrong sign": {"cotangent": 0},
    "statistics taken for constants": {"cotangent": 0},
    "gradient of the scale not centred": {"mean": 0},
    "alpha not divided by the size": {"size": 1},
    "alpha divided by the channels that exist": {"size": 1},
    "response taken for a constant factor": {"alpha": 0},
    "gradient of sigmoid from the input": {"cotangent": 0},
    "gradient of sigmoid taken for its value": {"cotangent": 0},
    "gradient of tanh from the input": {"input": 0},
    "square left out of the gradient of tanh": {"input": 0},
    "gradient of softmax without its mean": {"cotangent": 0},
    "gradient of softmax from its diagonal alone": {"cotangent": 0},
    "survivors of dropout not scaled": {"rate": 0},
    "survivors of dropout scaled down": {"rate": 0},
    "mask of dropout inverted": {"input": 0, "cotangent": 0},
    "dropout forgotten in the gradient": {"rate": 0, "mask": 1},
    "half of the penalty left out": {"weight": 0},
    "half kept in the gradient of the penalty": {"weight": 0},
    "penalty by the norm, not by its square": {"weight": 0},
    "strength left out of the gradient of the penalty": {"strength": 1},
    "label left out of the gradient": {"cotangent": 0},
}


def coinciding(name: str, operation: str) -> Case:
    """A small case in which a number, or all of an array, is as a deviation takes it to be."""
    case = small_cases(operation, 20)[-1]
    values = COINCIDENCES[name]
    operands = {n: numpy.full_like(a, values.get(n, a)) for n, a in case.operands.items()}
    attributes = {n: values.get(n, value) for n, value in case.attributes.items()}
    return Case(operation, operands, attributes)


@pytest.mark.parametrize(("name", "operation"), [p for p in PAIRS if p[0] in COINCIDENCES])
def test_is_right_by_coincidence(name, operation):
    case = coinciding(name, operation)
    assert agree(wrong_on(name, case), right(case), rounding_bounds(case))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "operation"), [p for p in PAIRS if p[0] not in COINCIDENCES])
def test_is_right_somewhere(name, operation):
    """A deviation is an edit of a correct implementation, not another function."""
    if name in ("cotangent taken for ones", "gradients in the wrong order"):
        pytest.skip("right by coincidence only")
    if name in RIGHT_BY_HAND:
        assert exactly_right(name, RIGHT_BY_HAND[name])
        return
    due = judged_cases(operation, 3000)
    assert any(agree(wrong_on(name, case), value, bounds) for case, value, bounds in due)


def _is_contiguous(operand: str, case: Case) -> bool:
    """Whether an operand, or every array of a list, lies in memory in its own order."""
    names = [n for n in case.operands if n == operand or n.startswith(f"{operand}_")]
    return all(case.operands[name].flags.c_contiguous for name in names)


# What `hidden` says in words that several entries share, as statements about a case.
HIDING = {
    "stride 1": lambda c: set(c.attributes["stride"]) == {1},
    "dilation 1": lambda c: set(c.attributes["dilation"]) == {1},
    "padding 0": lambda c: not any(map(any, c.attributes["padding"])),
    "no padding": lambda c: not any(map(any, c.attributes["padding"])),
    "symmetric padding": lambda c: all(low == high for low, high in c.attributes["padding"]),
    "no high padding": lambda c: not any(high for _, high in c.attributes["padding"]),
    "no low padding": lambda c: not any(low for low, _ in c.attributes["padding"]),
    "groups 1": lambda c: c.attributes["groups"] == 1,
    "one spatial axis": lambda c: _image(c).ndim == 3,
    "equal strides": lambda c: len(set(c.attributes["stride"])) == 1,
    "equal dilations": lambda c: len(set(c.attributes["dilation"])) == 1,
    "equal padding": lambda c: len(set(c.attributes["padding"])) == 1,
    "stride equal to dilation": lambda c: c.attributes["stride"] == c.attributes["dilation"],
    "no bias": lambda c: "bias" not in c.operands,
    "output_padding 0": lambda c: not any(c.attributes["output_padding"]),
    "ceil_mode off": lambda c: not c.attributes["ceil_mode"],
    "ceil_mode on": lambda c: c.attributes["ceil_mode"],
    "count_include_pad off": lambda c: not c.attributes["count_include_pad"],
    "count_include_pad on": lambda c: c.attributes["count_include_pad"],
    "mode full": lambda c: c.attributes["mode"] == "full",
    "larger kernels": lambda c: set(c.operands["weight"].shape[2:]) != {1},
    "kernels of one element": lambda c: set(_kernel(c)) == {1},
    "windows of one element": lambda c: set(c.attributes["kernel_size"]) == {1},
    "square windows": lambda c: len(set(c.attributes["kernel_size"])) == 1,
    "a batch of one": lambda c: len(c.operands["input"]) == 1,
    "batches that are not empty": lambda c: len(next(iter(c.operands.values()))) > 0,
    "data without NaN": lambda c: not any(map(_has_nan, c.operands.values())),
    "finite data": lambda c: all(numpy.isfinite(a).all() for a in c.operands.values()),
    "finite weights": lambda c: numpy.isfinite(c.operands["weight"]).all(),
    "floating data": lambda c: all(a.dtype.kind == "f" for a in c.operands.values()),
    "data that are nowhere negative": lambda c: all((a >= 0).all() for a in c.operands.values()),
    "a cotangent of ones": lambda c: (c.operands["cotangent"] == 1).all(),
    "at most 32 input channels": lambda c: c.operands["input"].shape[1] <= 32,
    "at most four input channels": lambda c: c.operands["input"].shape[1] <= 4,
    "axes of at most 256 positions": lambda c: max(c.operands["input"].shape[2:]) <= 256,
    "windows of at most 64 taps": lambda c: numpy.prod(c.attributes["kernel_size"]) <= 64,
    **{f"contiguous {plural}": partial(_is_contiguous, n) for n, (_, plural) in WORDS.items()},
    **{f"{plural} used once": lambda c: True for _, plural in WORDS.values()},
    "second operands of one element": lambda c: c.operands["g"].size == 1,
    "second operands of odd size": lambda c: all(m % 2 for m in c.operands["g"].shape),
    "first operands at least as long as the second": lambda c: all(
        n >= m for n, m in zip(c.operands["f"].shape, c.operands["g"].shape, strict=True)
    ),
    "float64 operands": lambda c: all(a.dtype == numpy.float64 for a in c.operands.values()),
    "float32 operands": lambda c: all(a.dtype == numpy.float32 for a in c.operands.values()),
    "a stride equal to the kernel size": lambda c: (
        c.attributes["stride"] == c.attributes["kernel_size"]
    ),
    "kernels of one element and symmetric kernels": lambda c: set(_kernel(c)) == {1},
    "kernels with one column": lambda c: _kernel(c)[-1] == 1,
    "convolutions that are not depthwise": lambda c: (
        c.attributes["groups"] != c.operands["input"].shape[1] or c.attributes["groups"] == 1
    ),
    "multiplier 1": lambda c: len(_kernels(c)) == c.attributes.get("groups", _image(c).shape[1]),
    "stride beyond 1": lambda c: max(c.attributes["stride"]) > 1,
    "other kernels": lambda c: set(_kernel(c)) != {3},
    "a stride that differs from the kernel": lambda c: (
        c.attributes["stride"] != c.attributes["kernel_size"]
    ),
    "output_padding smaller than the stride": lambda c: all(
        more < s
        for more, s in zip(c.attributes["output_padding"], c.attributes["stride"], strict=True)
    ),
    "strides that divide the room exactly": lambda c: not any(_remainders(c)),
    "exact division": lambda c: not any(_remainders(c)),
    "strides that leave a remainder": lambda c: all(_remainders(c)),
    "square outputs": lambda c: len(set(right(c)[0].shape[2:])) == 1,
    "one output channel per group": lambda c: right(c)[0].shape[1] == c.attributes["groups"],
    "one input channel per group": lambda c: c.operands["input"].shape[1] == c.attributes["groups"],
    "as many input as output channels": lambda c: (
        c.operands["input"].shape[1] == right(c)[0].shape[1]
    ),
    "an even number of channels": lambda c: c.operands["input"].shape[1] % 2 == 0,
    "an even batch": lambda c: len(c.operands["input"]) % 2 == 0,
    "at most 16 output channels": lambda c: right(c)[0].shape[1] <= 16,
    "whole results": lambda c: _is_whole(right(c)),
    "ceil_mode": lambda c: c.attributes.get("ceil_mode", False),
    "exact division without padding": lambda c: (
        not any(_remainders(c)) and not any(map(any, c.attributes["padding"]))
    ),
    "one batch item with one channel": lambda c: _image(c).shape[:2] == (1, 1),
    "one axis": lambda c: c.operands["g"].ndim == 1,
    "kind nearest": lambda c: c.attributes["kind"] == "nearest",
    "kind linear": lambda c: c.attributes["kind"] == "linear",
    "half-pixel coordinates": lambda c: c.attributes["coordinates"] == "half_pixel",
    "asymmetric coordinates": lambda c: c.attributes["coordinates"] == "asymmetric",
    "aligned corners": lambda c: c.attributes["coordinates"] == "align_corners",
    "scale 1": lambda c: set(c.attributes["scale"]) == {1},
    "equal scales": lambda c: len(set(c.attributes["scale"])) == 1,
    "images of one pixel": lambda c: set(c.operands["input"].shape[2:]) == {1},
    "kind max": lambda c: c.attributes.get("kind") == "max",
    "equal output sizes": lambda c: len(set(c.attributes["output_size"])) == 1,
    "sizes that divide evenly": lambda c: all(n % o == 0 for n, o in _windowed(c)),
    "one level": lambda c: len(c.attributes["levels"]) == 1,
    "one channel": lambda c: _image(c).shape[1] == 1,
    "an even p": lambda c: c.attributes["p"] % 2 == 0,
    "p of 1": lambda c: c.attributes["p"] == 1,
    "p of 2": lambda c: c.attributes["p"] == 2,
    "windows of odd size": lambda c: all(k % 2 for k in c.attributes["kernel_size"]),
    "no padding and no overhang": lambda c: (
        not (
            any(map(any, c.attributes["padding"]))
            or (c.attributes["ceil_mode"] and any(_remainders(c)))
        )
    ),
    "inputs that are nowhere negative": lambda c: (c.operands["input"] >= 0).all(),
    "indices without repetition": lambda c: all(
        len(set(plane.tolist())) == plane.size
        for channels in c.operands["indices"]
        for plane in channels.reshape(len(channels), -1)
    ),
    "outputs of twice the values' size": lambda c: all(
        o == 2 * m for o, m in zip(c.attributes["output_size"], _image(c).shape[2:], strict=True)
    ),
    "an epsilon of 0": lambda c: c.attributes["epsilon"] == 0,
    "a scale equal to the shift": lambda c: (c.operands["scale"] == c.operands["shift"]).all(),
    "a mean of 0": lambda c: not c.operands["mean"].any(),
    "a scale of 1": lambda c: (c.operands["scale"] == 1).all(),
    "a last axis of another size than the channels": lambda c: (
        _image(c).shape[1] != _image(c).shape[-1]
    ),
    "a size of 1": lambda c: c.attributes["size"] == 1,
    "an odd size": lambda c: c.attributes["size"] % 2 == 1,
    "a k of 1": lambda c: c.attributes["k"] == 1,
    "a beta of a half": lambda c: c.attributes["beta"] == 0.5,
    "an alpha of 0": lambda c: c.attributes["alpha"] == 0,
    "inputs of at most 6": lambda c: (c.operands["input"] <= 6).all(),
    "inputs without zeros": lambda c: c.operands["input"].all(),
    "positive inputs": lambda c: (c.operands["input"] > 0).all(),
    "cotangents that are nowhere negative": lambda c: (c.operands["cotangent"] >= 0).all(),
    "moderate arguments": lambda c: (abs(_image(c)) < 16).all(),
    "the last axis": lambda c: c.attributes["axis"] == _image(c).ndim - 1,
    "a rate of a half": lambda c: c.attributes["rate"] == 0.5,
    "inputs of 0": lambda c: not c.operands["input"].any(),
    "one label": lambda c: c.operands["labels"].size == 1,
    "one class": lambda c: c.operands["logits"].shape[1] == 1,
    "a cotangent of 0": lambda c: not c.operands["cotangent"].any(),
    "weights of 0": lambda c: not c.operands["weight"].any(),
    "one weight": lambda c: c.operands["weight"].size == 1,
    "a strength of 1": lambda c: c.attributes["strength"] == 1,
    "a count of 0": lambda c: not any(c.attributes["count"]),
    "equal counts": lambda c: len(set(c.attributes["count"])) == 1,
    "one output channel": lambda c: right(c)[0].shape[1] == 1,
    "factor 1": lambda c: set(c.attributes["factor"]) == {1},
    "equal factors": lambda c: len(set(c.attributes["factor"])) == 1,
    "weights that are not square": lambda c: (
        c.operands["weight"].shape[0] != c.operands["weight"].shape[1]
    ),
    "factors of one element": lambda c: all(f.size == 1 for f in _factors(c)),
    "factors of several lengths": lambda c: len({f.size for f in _factors(c)}) > 1,
    "one kernel": lambda c: len(_kernels(c)) == 1,
    "outputs of one position": lambda c: (
        set(output_shape(c.operation, {**c.operands, **c.attributes})[2:]) == {1}
    ),
    # A case is good, a single call, and every one of its windows holds an element.
    "geometries in which every window holds an element": lambda c: True,
    "good arguments": lambda c: True,
    "single calls": lambda c: True,
    "most calls": lambda c: True,
    "outputs that are used before the next call": lambda c: True,
    "each weight used once": lambda c: True,
    "each input used once": lambda c: True,
}


def _kernel(case: Case) -> tuple[int, ...]:
    if "kernel_size" in case.attributes:
        return case.attributes["kernel_size"]
    return _kernels(case).shape[2 - _image(case).ndim :]


def _image(case: Case) -> numpy.ndarray:
    return case.operands[OPERATIONS[forward_name(case.operation)].operands[0]]


KERNELS = ("weight", "depthwise")


def _kernels(case: Case) -> numpy.ndarray:
    """The weight of a convolution, or that of its first step."""
    return next(a for name, a in case.operands.items() if name in KERNELS)


def _factors(case: Case) -> list[numpy.ndarray]:
    return [a for name, a in case.operands.items() if name.startswith("factors")]


def _windowed(case: Case) -> list[tuple[int, int]]:
    """Input and output size of every axis, and of every level, of an adaptive pooling."""
    spatial = _image(case).shape[2:]
    sizes = [(level,) * len(spatial) for level in case.attributes.get("levels", ())]
    sizes = sizes or [case.attributes["output_size"]]
    return [pair for size in sizes for pair in zip(spatial, size, strict=True)]


def _remainders(case: Case) -> list[int]:
    shapes = {n: a.shape for n, a in case.operands.items() if n != "cotangent"}
    windows = call_windows(forward_name(case.operation), shapes, case.attributes)
    sizes = case.operands["input"].shape[2:]
    return [
        (n + w.low + w.high - extent(w)) % w.stride for n, w in zip(sizes, windows, strict=True)
    ]


def _is_whole(results: tuple[numpy.ndarray, ...] | str) -> bool:
    """Whether there are results, which are whole numbers: a call may be one to be refused."""
    return not isinstance(results, str) and all((y == numpy.rint(y)).all() for y in results)


def _has_nan(array: numpy.ndarray) -> bool:
    return array.dtype.kind == "f" and bool(numpy.isnan(array).any())


def clauses(hidden: str) -> list[str]:
    return [clause for clause in re.split(r", (?:or |and )?", hidden) if clause in HIDING]


STATED = [(name, operation) for name, operation in PAIRS if clauses(DEVIATIONS[name].hidden)]


def test_most_hiding_places_are_tested():
    assert len({name for name, _ in STATED}) >= 0.8 * len(DEVIATIONS)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "operation"), STATED)
def test_is_hidden_where_it_says(name, operation):
    hides = [HIDING[clause] for clause in clauses(DEVIATIONS[name].hidden)]
    for case, due, bounds in judged_cases(operation, 400):
        if any(hide(case) for hide in hides):
            assert agree(wrong_on(name, case), due, bounds), case


@pytest.mark.parametrize(("name", "operation"), [p for p in PAIRS if p[0] in ACCEPTING])
def test_accepts_what_the_spec_refuses(name, operation):
    """Some good call with one thing spoilt, which the spec refuses, is answered."""
    function = getattr(convspec.fast, operation)
    for case in small_cases(operation, 300):
        for _, bad in bad_calls(case):
            assert isinstance(replay(function, bad), str), "a good call"
            if not isinstance(wrong_on(name, bad), str):
                return
    pytest.fail("refuses what the spec refuses")


@pytest.mark.parametrize(("name", "operation"), [p for p in PAIRS if p[0] in REMEMBERING])
def test_a_call_leaves_something_behind(name, operation):
    """Over several calls: a result, a returned array, or an argument is not what it should be."""
    function = DEVIATIONS[name].edit(convspec.fast, operation)
    earlier = []
    for case in [*small_cases(operation, 600), *same_shapes(operation)]:
        own = {n: a.copy() for n, a in case.operands.items()}
        due = right(case)
        try:
            result = function(*grouped(operation, own).values(), **case.attributes)
        except ValueError:  # what another call left does not fit this one
            return
        outputs = result if isinstance(result, tuple) else (result,)
        earlier.append((outputs, due))
        kept = all(numpy.array_equal(own[n], a, equal_nan=True) for n, a in case.operands.items())
        if not kept or not agree(outputs, due, rounding_bounds(case)):
            return
    assert any(not agree(outputs, due, None) for outputs, due in earlier)


def same_shapes(operation: str) -> list[Case]:
    """Calls, and those of the same shapes once for each attribute changed and without a batch."""
    cases = small_cases(operation, 40)
    alike = [like for case in cases for like in (case, *interruptions(case), emptied(case))]
    return [case for case in alike if case is not None and is_valid(case)]
