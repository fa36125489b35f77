"""The simplest rule that separates failing from passing cases, in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy

from convspec.arguments import Array, Shape
from convspec.case import Case, call_windows, flat, forward_name, grouped
from convspec.operations import OPERATIONS
from convspec.window import Window, extent

LONGEST_RULE = 3


class Features(NamedTuple):
    """What the statements of a rule speak about."""

    case: Case
    first: Array
    sizes: Shape
    kernel: Shape
    windows: tuple[Window, ...]


class Statement(NamedTuple):
    """A simple statement about a case, its text and what it says."""

    text: str
    holds: Callable[[Features], bool]


def features(case: Case) -> Features:
    """The features of a case, of whatever operation.

    >>> features(Case("max_pool", {"input": numpy.zeros((1, 1, 4))}, {"kernel_size": (2,),
    ...     "stride": (2,), "padding": ((0, 0),), "dilation": (1,), "ceil_mode": False})).windows
    (Window(kernel=2, stride=2, low=0, high=0, dilation=1, ceil=False),)
    """
    operands, attributes = case.operands, case.attributes
    if "f" in operands:
        return Features(case, operands["f"], operands["f"].shape, operands["g"].shape, ())
    if forward_name(case.operation) not in _PLAIN:
        return _other_features(case)
    weight, sizes = operands.get("weight"), operands["input"].shape[2:]
    kernel = attributes["kernel_size"] if weight is None else weight.shape[2:]
    axes = zip(
        kernel, attributes["stride"], attributes["padding"], attributes["dilation"], strict=True
    )
    ceil = attributes.get("ceil_mode", False)
    windows = tuple(Window(k, s, low, high, d, ceil) for k, s, (low, high), d in axes)
    return Features(case, operands["input"], sizes, kernel, windows)


_PLAIN = ("conv", "conv_transpose", "max_pool", "max_pool_with_indices", "average_pool")


def _other_features(case: Case) -> Features:
    """Those of an operation that may have no windows, no kernel, or no image at all."""
    name = forward_name(case.operation)
    first = case.operands[OPERATIONS[name].operands[0]]
    windows: tuple[Window, ...] = ()
    if "padding" in case.attributes:
        shapes = {n: a.shape for n, a in case.operands.items() if n != "cotangent"}
        windows = call_windows(name, grouped(name, shapes), case.attributes)
    return Features(case, first, first.shape[2:], tuple(w.kernel for w in windows), windows)


def _on_some_axis(holds: Callable[[Window], bool]) -> Callable[[Features], bool]:
    return lambda f: any(map(holds, f.windows))


def _differ(value: Callable[[Window], Any]) -> Callable[[Features], bool]:
    return lambda f: len({value(window) for window in f.windows}) > 1


def _remainder(f: Features) -> bool:
    if forward_name(f.case.operation) == "conv_transpose":
        return False
    axes = zip(f.sizes, f.windows, strict=False)
    return any((n + w.low + w.high - extent(w)) % w.stride for n, w in axes)


def _has_channels(f: Features) -> bool:
    return "f" not in f.case.operands and f.first.ndim > 1


def _channels(f: Features) -> int:
    return f.first.shape[1] if _has_channels(f) else 1


def _outputs(f: Features) -> int:
    weight = f.case.operands.get("weight")
    if weight is None:
        return _channels(f)
    transposed = forward_name(f.case.operation) == "conv_transpose"
    return weight.shape[1] * _groups(f) if transposed else len(weight)


def _groups(f: Features) -> int:
    return int(f.case.attributes.get("groups", 1))


def _batch(f: Features) -> int:
    return len(f.first) if _has_channels(f) else 1


def _any_value(test: Callable[[Array], Any]) -> Callable[[Features], bool]:
    return lambda f: any(
        bool(numpy.any(test(array)))
        for array in f.case.operands.values()
        if array.dtype.kind in "fV"
    )


def _attribute(name: str) -> Callable[[Features], bool]:
    def holds(f: Features) -> bool:
        value = f.case.attributes.get(name, 0)
        return any(value) if isinstance(value, tuple) else bool(value)

    return holds


def _mode(mode: str) -> Callable[[Features], bool]:
    return lambda f: f.case.attributes.get("mode") == mode


def _dtype(name: str) -> Callable[[Features], bool]:
    return lambda f: f.first.dtype.name == name


def _rank(rank: int) -> Callable[[Features], bool]:
    return lambda f: len(f.sizes) == rank


STATEMENTS = (
    Statement("stride > 1", _on_some_axis(lambda w: w.stride > 1)),
    Statement("stride = 1", lambda f: all(w.stride == 1 for w in f.windows)),
    Statement("dilation > 1", _on_some_axis(lambda w: w.dilation > 1)),
    Statement("dilation = 1", lambda f: all(w.dilation == 1 for w in f.windows)),
    Statement("padding > 0", _on_some_axis(lambda w: w.low + w.high > 0)),
    Statement("padding = 0", lambda f: all(w.low + w.high == 0 for w in f.windows)),
    Statement("low padding > 0", _on_some_axis(lambda w: w.low > 0)),
    Statement("high padding > 0", _on_some_axis(lambda w: w.high > 0)),
    Statement("low padding differs from high padding", _on_some_axis(lambda w: w.low != w.high)),
    Statement(
        "padding as large as the kernel",
        _on_some_axis(lambda w: max(w.low, w.high) >= extent(w)),
    ),
    Statement("groups > 1", lambda f: _groups(f) > 1),
    Statement("groups = 1", lambda f: _groups(f) == 1),
    Statement("the kernel is 1x1", lambda f: set(f.kernel) == {1}),
    Statement("the kernel is larger than 1x1", lambda f: set(f.kernel) - {1} != set()),
    Statement("the kernel is 3x3", lambda f: set(f.kernel) == {3}),
    Statement("the kernel is even on some axis", lambda f: any(k % 2 == 0 for k in f.kernel)),
    Statement(
        "the kernel is as large as the input",
        lambda f: f.kernel != () and tuple(f.kernel) == tuple(f.sizes),
    ),
    Statement("the kernel's axes differ", lambda f: len(set(f.kernel)) > 1),
    Statement("the input's axes differ", lambda f: len(set(f.sizes)) > 1),
    Statement("the strides differ", _differ(lambda w: w.stride)),
    Statement("the dilations differ", _differ(lambda w: w.dilation)),
    Statement("the paddings differ between axes", _differ(lambda w: (w.low, w.high))),
    Statement("the stride leaves a remainder", _remainder),
    Statement("the stride leaves no remainder", lambda f: not _remainder(f)),
    Statement("stride > kernel", _on_some_axis(lambda w: w.stride > w.kernel)),
    Statement("stride = kernel", lambda f: all(w.stride == w.kernel for w in f.windows)),
    Statement("stride < kernel extent", _on_some_axis(lambda w: w.stride < extent(w))),
    Statement("depthwise", lambda f: _groups(f) == _channels(f) > 1),
    Statement("several input channels per group", lambda f: _channels(f) > _groups(f)),
    Statement("several output channels per group", lambda f: _outputs(f) > _groups(f)),
    Statement("several channels", lambda f: _channels(f) > 1),
    Statement("channels are no multiple of 4", lambda f: _channels(f) % 4 != 0),
    Statement("channels > 4", lambda f: _channels(f) > 4),
    Statement("channels > 16", lambda f: _channels(f) > 16),
    Statement("channels > 32", lambda f: _channels(f) > 32),
    Statement("output channels > 4", lambda f: _outputs(f) > 4),
    Statement("output channels > 16", lambda f: _outputs(f) > 16),
    Statement("a bias is given", lambda f: "bias" in f.case.operands),
    Statement("no bias is given", lambda f: "bias" not in f.case.operands),
    Statement("the batch is empty", lambda f: _batch(f) == 0),
    Statement("the batch is 1", lambda f: _batch(f) == 1),
    Statement("the batch is larger than 1", lambda f: _batch(f) > 1),
    Statement("the batch is odd", lambda f: _batch(f) % 2 == 1),
    Statement("ceil_mode", _attribute("ceil_mode")),
    Statement("not ceil_mode", lambda f: not _attribute("ceil_mode")(f)),
    Statement("count_include_pad", _attribute("count_include_pad")),
    Statement("not count_include_pad", lambda f: not _attribute("count_include_pad")(f)),
    Statement("output_padding > 0", _attribute("output_padding")),
    Statement("mode full", _mode("full")),
    Statement("mode same", _mode("same")),
    Statement("mode valid", _mode("valid")),
    Statement(
        "the second operand is longer",
        lambda f: not f.windows and any(m > n for n, m in zip(f.sizes, f.kernel, strict=False)),
    ),
    Statement("one spatial axis", _rank(1)),
    Statement("two spatial axes", _rank(2)),
    Statement("three spatial axes", _rank(3)),
    Statement("an axis longer than 64", lambda f: max(f.sizes, default=0) > 64),
    Statement("an axis longer than 255", lambda f: max(f.sizes, default=0) > 255),
    Statement("NaN in an operand", _any_value(numpy.isnan)),
    Statement("an infinity in an operand", _any_value(numpy.isinf)),
    Statement("a negative number in an operand", _any_value(lambda a: a < 0)),
    Statement("float16", _dtype("float16")),
    Statement("float32", _dtype("float32")),
    Statement("float64", _dtype("float64")),
    Statement("bfloat16", _dtype("bfloat16")),
    Statement("an odd number of channels per group", lambda f: _channels(f) // _groups(f) % 2 == 1),
    Statement("kind linear", lambda f: f.case.attributes.get("kind") == "linear"),
    Statement("an even size", lambda f: f.case.attributes.get("size", 1) % 2 == 0),
    Statement("p is not even", lambda f: f.case.attributes.get("p", 2) % 2 != 0),
    Statement(
        "an operand that is not contiguous",
        lambda f: not all(a.flags.c_contiguous for a in f.case.operands.values()),
    ),
)

# What is true of no call that the spec takes.
OF_REFUSED_CALLS = (
    Statement("stride = 0", _on_some_axis(lambda w: w.stride == 0)),
    Statement("negative padding", _on_some_axis(lambda w: min(w.low, w.high) < 0)),
)
_AND = " and "


def statements(rule: str) -> tuple[Statement, ...]:
    """The statements that a rule joins.

    Raises `ValueError` naming what is none, and all there are.

    >>> [statement.text for statement in statements("stride > 1 and padding = 0")]
    ['stride > 1', 'padding = 0']
    """
    known = {statement.text: statement for statement in (*STATEMENTS, *OF_REFUSED_CALLS)}
    texts = rule.split(_AND)
    for text in texts:
        if text not in known:
            raise ValueError(f"{text!r}: must be one of {', '.join(map(repr, known))}")
    return tuple(known[text] for text in texts)


def holds(rule: str, case: Case) -> bool:
    """Whether every statement of a rule is true of a case.

    >>> case = Case("relu", {"input": numpy.ones((2, 3))}, {})
    >>> holds("several channels and the batch is 1", case)
    False
    """
    try:
        seen = features(case._replace(operands=flat(case.operands)))
    except (TypeError, ValueError):  # arguments that make no window
        return False
    return all(statement.holds(seen) for statement in statements(rule))


def separating_rule(failing: Sequence[Case], passing: Sequence[Case]) -> str | None:
    """The shortest conjunction of at most three simple statements that holds for every failing
    case and for no passing one, as text; None where there is none.

    >>> def pool(stride):
    ...     return Case("max_pool", {"input": numpy.zeros((1, 1, 4))}, {"kernel_size": (2,),
    ...         "stride": (stride,), "padding": ((0, 0),), "dilation": (1,), "ceil_mode": False})
    >>> separating_rule([pool(2), pool(3)], [pool(1)])
    'only when stride > 1'
    >>> separating_rule([pool(2)], [pool(2)]) is None
    True
    """
    if not passing:
        return "in every case tried" if failing else None
    wrong, fine = map(features, failing), list(map(features, passing))
    left = list(STATEMENTS)
    for f in wrong:
        left = [statement for statement in left if statement.holds(f)]
    holding = [sum(1 << i for i, f in enumerate(fine) if s.holds(f)) for s in left]
    for length in range(1, LONGEST_RULE + 1):
        for chosen in combinations(range(len(left)), length):
            common = -1
            for index in chosen:
                common &= holding[index]
            if common == 0:
                return "only when " + _AND.join(left[index].text for index in chosen)
    return None
