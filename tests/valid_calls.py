"""A valid call of every operation, and what is wrong for each of its arguments.

Here the tests of errors, cases and the table meet the table of operations: a row without a valid
call, or an attribute without bad values, makes `test_errors.py` fail.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy

from convspec.operations import OPERATIONS

Shape = tuple[int, ...]

IMAGE = (2, 4, 5, 6)
SLIDING = {"stride": (2, 1), "padding": ((1, 0), (1, 1))}
POOLING = {"kernel_size": (2, 3), **SLIDING}
MASK = numpy.array([[1, 0, 1], [0, 1, 1]])
INDICES = numpy.array([[[[0, 3], [8, 11]]]])

# Operation -> its operands, by shape or in full where not every array is right; its attributes.
VALID: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "convolve": ({"f": (4, 5), "g": (2, 3)}, {"mode": "valid"}),
    "correlate": ({"f": (4, 5), "g": (2, 3)}, {"mode": "same"}),
    "conv": (
        {"input": IMAGE, "weight": (6, 2, 2, 3), "bias": (6,)},
        {**SLIDING, "dilation": (1, 2), "groups": 2},
    ),
    "conv_transpose": (
        {"input": IMAGE, "weight": (4, 3, 2, 3), "bias": (6,)},
        {**SLIDING, "output_padding": (1, 0), "groups": 2},
    ),
    "depthwise_conv": ({"input": IMAGE, "weight": (8, 1, 2, 3), "bias": (8,)}, SLIDING),
    "pointwise_conv": ({"input": IMAGE, "weight": (3, 4), "bias": (3,)}, {}),
    "depthwise_separable_conv": (
        {"input": IMAGE, "depthwise": (8, 1, 2, 3), "pointwise": (3, 8), "bias": (3,)},
        SLIDING,
    ),
    "spatially_separable_conv": ({"input": IMAGE, "factors": [(2,), (3,)]}, SLIDING),
    "locally_connected": (
        {"input": IMAGE, "weight": (3, 4, 3, 6, 2, 3), "bias": (3, 3, 6)},
        SLIDING,
    ),
    "max_pool": ({"input": IMAGE}, POOLING),
    "max_pool_with_indices": ({"input": IMAGE}, POOLING),
    "max_unpool": ({"values": (1, 1, 2, 2), "indices": INDICES}, {"output_size": (3, 4)}),
    "average_pool": ({"input": IMAGE}, POOLING),
    "lp_pool": ({"input": IMAGE}, {**POOLING, "p": 2}),
    "distance_weighted_pool": ({"input": IMAGE}, POOLING),
    "adaptive_max_pool": ({"input": IMAGE}, {"output_size": (2, 3)}),
    "adaptive_average_pool": ({"input": IMAGE}, {"output_size": (2, 3)}),
    "spatial_pyramid_pool": ({"input": IMAGE}, {"levels": (2, 1), "kind": "max"}),
    "upsample": ({"input": IMAGE}, {"scale": (2, 1), "kind": "linear"}),
    "insert_zeros": ({"input": IMAGE}, {"count": (2, 0)}),
    "pixel_shuffle": ({"input": IMAGE}, {"factor": (2, 1)}),
    "resize_conv": (
        {"input": IMAGE, "weight": (3, 4, 2, 3), "bias": (3,)},
        {"scale": (2, 1), "padding": ((1, 0), (1, 1))},
    ),
    "linear": ({"input": (3, 4), "weight": (2, 4), "bias": (2,)}, {}),
    "flatten": ({"input": IMAGE}, {}),
    "relu": ({"input": (2, 3)}, {}),
    "sigmoid": ({"input": (2, 3)}, {}),
    "tanh": ({"input": (2, 3)}, {}),
    "softmax": ({"input": (2, 3)}, {"axis": 1}),
    "dropout": ({"input": (2, 3), "mask": MASK}, {"rate": 0.5}),
    "cross_entropy": ({"logits": (2, 3), "labels": numpy.array([0, 2])}, {}),
    "l2_penalty": ({"weight": (2, 3)}, {"strength": 0.5}),
    "batch_norm": (
        {
            "input": IMAGE,
            "mean": (4,),
            "variance": numpy.array([1.0, 2.0, 3.0, 4.0]),
            "scale": (4,),
            "shift": (4,),
        },
        {"epsilon": 0.125},
    ),
    "local_response_normalization": (
        {"input": IMAGE},
        {"size": 3, "alpha": 0.5, "beta": 0.75, "k": 1.0},
    ),
}

NEITHER_INTEGER_NOR_INTEGERS: list[Any] = [
    1.0, 1.5, float("nan"), 1j, "1", "", b"\x01\x01", True, numpy.True_, {1, 2}, {1: 1, 2: 2},
    numpy.array(1), object, (1.0, 1), (1, True), (1, "1"), (1, None), [[1, 1], [1, 1]],
]  # fmt: skip
NO_REAL_NUMBER: list[Any] = [
    None, True, "1", 1j, (1.0,), [0.5], float("nan"), float("inf"), object,
]  # fmt: skip
LENGTHS: list[Any] = [(), (1,), (1, 1, 1)]
POSITIVE: list[Any] = [0, -1, (1, 0), (-2, 1), *NEITHER_INTEGER_NOR_INTEGERS, *LENGTHS]
FLAGS: list[Any] = [0, 1, "yes", None, 1.0, [True], numpy.array(True)]
WORDS: list[Any] = ["wide", "", None, 0, b"full", ["full"], True]

# Attribute -> values that are wrong for every operation that has it.
BAD: dict[str, list[Any]] = {
    "stride": [numpy.int8(0), *POSITIVE],
    "dilation": [None, *POSITIVE],
    "groups": [3, 2**70, None, *POSITIVE],
    "output_padding": [-1, 2, (0, 1), (2, 0), None, *NEITHER_INTEGER_NOR_INTEGERS, *LENGTHS],
    "kernel_size": [9, 10**30, None, *POSITIVE],
    "output_size": [None, *POSITIVE],
    "scale": [None, *POSITIVE],
    "factor": [3, (2, 3), None, *POSITIVE],
    "count": [-1, (1, -1), None, *NEITHER_INTEGER_NOR_INTEGERS, *LENGTHS],
    "size": [None, 3.0, 0, -1, True, "3", (3,), [3]],
    "levels": [0, 2, None, (), (0,), (1, -1), (1.0,), ("1",), (True,), "21", {1, 2}, 1.0],
    "axis": [2, -3, 10**30, None, 1.0, True, "1", (1,)],
    "padding": [
        *[-1, (0, -1), ((0, -1), (0, 0)), None, 10**30, "same", "FULL", "SAME_UPPER"],
        *NEITHER_INTEGER_NOR_INTEGERS[:-1],  # two pairs are right here
        *[*LENGTHS, ((1, 1),), ((1, 1),) * 3, ((1,), (1,)), ((1, 1, 1),) * 2, (1, (1, 1))],
        *[((1, 1.0), (0, 0)), (("a", "b"), ("c", "d")), (((1, 1), (1, 1)),) * 2, ("ab", "cd")],
    ],
    "ceil_mode": FLAGS,
    "count_include_pad": FLAGS,
    "mode": ["FULL", *WORDS],
    "kind": ["cubic", "MAX", *WORDS],
    "coordinates": ["half", "HALF_PIXEL", *WORDS],
    "p": [0, -1, 0.5, *NO_REAL_NUMBER],
    "rate": [-0.5, 1, 1.0, 2, *NO_REAL_NUMBER],
    "epsilon": [-1, -0.5, *NO_REAL_NUMBER],
    "alpha": [-1, *NO_REAL_NUMBER],
    "beta": [-1, *NO_REAL_NUMBER],
    "k": [0, -1, *NO_REAL_NUMBER],
    "strength": [-1, *NO_REAL_NUMBER],
}

POOLS = [name for name in VALID if "kernel_size" in VALID[name][1]]

# Values that are wrong for one operation, and right for another.
BAD_HERE: dict[str, list[tuple[str, Any]]] = {
    "conv": [("stride", None), ("dilation", 9), ("dilation", 10**30)],
    "depthwise_conv": [("stride", None), ("dilation", 9)],
    "depthwise_separable_conv": [("stride", None), ("dilation", 9)],
    "locally_connected": [("stride", None), ("dilation", 9)],
    "spatially_separable_conv": [("stride", None)],
    "conv_transpose": [
        ("stride", None), ("stride", 10**30), ("dilation", 10**30), ("padding", 9),
        ("padding", "valid"), ("padding", "same_upper"), ("padding", "full"),
    ],
    "upsample": [("kind", "max")],
    "spatial_pyramid_pool": [("kind", "linear")],
    "resize_conv": [("kind", "max")],
    **{
        pool: [
            ("padding", "full"), ("padding", 3),
            *[("dilation", size) for size in (9, 10**30) if pool != "distance_weighted_pool"],
        ]
        for pool in POOLS
    },
}  # fmt: skip


class Wrong(NamedTuple):
    """Shapes that are wrong for an operand: it must not `lose` its last axis, nor `gain` another,
    nor be `empty` on these axes, nor grow by one on the `fixed` ones.
    """

    loses: bool = True
    gains: bool = True
    empty: tuple[int, ...] = ()
    fixed: tuple[int, ...] = ()


_LAYOUT = Wrong(empty=(1, 2, 3))
_CHANNELS = Wrong(empty=(1, 2, 3), fixed=(1,))
_KERNEL = Wrong(empty=(0, 1, 2, 3), fixed=(0, 1))
_VECTOR = Wrong(empty=(0,), fixed=(0,))
_MATRIX = Wrong(empty=(0, 1), fixed=(0, 1))
_ANY_RANK = Wrong(loses=False, gains=False, empty=(1, 2, 3))
_ANYTHING = Wrong(loses=False, gains=False)

# Operation -> operand -> what is wrong; those not listed here follow from the operand's name.
_SHAPES: dict[str, dict[str, Wrong]] = {
    "convolve": {"f": Wrong(empty=(0, 1)), "g": Wrong(empty=(0, 1))},
    "correlate": {"f": Wrong(empty=(0, 1)), "g": Wrong(empty=(0, 1))},
    "pointwise_conv": {
        "input": Wrong(loses=False, gains=False, empty=(1, 2, 3), fixed=(1,)),
        "weight": _MATRIX,
    },
    "spatially_separable_conv": {"input": _LAYOUT},
    "depthwise_separable_conv": {"depthwise": _KERNEL, "pointwise": _MATRIX},
    "locally_connected": {
        "weight": Wrong(empty=(0, 1, 2, 3, 4, 5), fixed=(0, 1, 2, 3)),
        "bias": Wrong(empty=(0, 1, 2), fixed=(0, 1, 2)),
    },
    "max_unpool": {
        "values": Wrong(empty=(1, 2, 3), fixed=(0, 1, 2, 3)),
        "indices": Wrong(empty=(0, 1, 2, 3), fixed=(0, 1, 2, 3)),
    },
    "spatial_pyramid_pool": {"input": _ANY_RANK},
    "linear": {"input": Wrong(empty=(1,), fixed=(1,)), "weight": _MATRIX},
    "flatten": {"input": _ANY_RANK},
    "relu": {"input": _ANYTHING},
    "sigmoid": {"input": _ANYTHING},
    "tanh": {"input": _ANYTHING},
    "softmax": {"input": Wrong(gains=False, empty=(1,))},
    "dropout": {"input": Wrong(empty=(0, 1), fixed=(0, 1)), "mask": _MATRIX},
    "cross_entropy": {"logits": Wrong(empty=(0, 1), fixed=(0,)), "labels": _VECTOR},
    "l2_penalty": {"weight": _ANYTHING},
    "batch_norm": {
        "input": Wrong(loses=False, gains=False, empty=(1, 2, 3), fixed=(1,)),
        **dict.fromkeys(("mean", "variance", "scale", "shift"), _VECTOR),
    },
    "local_response_normalization": {"input": _ANY_RANK},
}


def wrong_shapes(name: str, operand: str) -> list[Shape]:
    """Shapes of an operand that are wrong beside the valid others."""
    row = OPERATIONS[name.removesuffix("_vjp")]
    shape = numpy.shape(valid_call(name).operands[operand])
    if operand == "cotangent":
        wrong = Wrong(loses=bool(shape), fixed=tuple(range(len(shape))))
    elif operand in _SHAPES.get(row.name, {}):
        wrong = _SHAPES[row.name][operand]
    elif operand == "input":
        wrong = _CHANNELS if "weight" in row.operands or "depthwise" in row.operands else _LAYOUT
    else:
        wrong = {"weight": _KERNEL, "bias": _VECTOR}[operand]
    found = [] if wrong == _ANYTHING else [shape[:-1]] * wrong.loses + [()] * bool(shape)
    found += [(*shape, 1)] * wrong.gains
    found += [(*shape[:axis], 0, *shape[axis + 1 :]) for axis in wrong.empty]
    found += [(*shape[:axis], shape[axis] + 1, *shape[axis + 1 :]) for axis in wrong.fixed]
    return list(dict.fromkeys(found))


class Call(NamedTuple):
    """A function of the spec with valid arguments; a `_vjp` takes `cotangent` first."""

    name: str
    function: Callable[..., Any]
    operands: dict[str, Any]
    attributes: dict[str, Any]

    def shapes(self) -> list[str]:
        """The operands' shapes as messages quote them: without the cotangent's, or a list's."""
        return [
            str(numpy.shape(value))
            for name, value in self.operands.items()
            if name != "cotangent" and not isinstance(value, list)
        ]


NAMES = [name + suffix for name in OPERATIONS for suffix in ("", "_vjp")]


def shape_of(operand: Any) -> Any:
    """The shape of an operand; the shapes, of a list of arrays."""
    return list(map(numpy.shape, operand)) if isinstance(operand, list) else numpy.shape(operand)


def filled(name: str, make: Callable[[Shape], Any]) -> dict[str, Any]:
    """The operands of a valid call, made from their shapes but where not every array is right."""

    def operand(value: Any) -> Any:
        if isinstance(value, list):
            return list(map(make, value))
        return make(value) if isinstance(value, tuple) else value

    given, _ = VALID[name.removesuffix("_vjp")]
    return {name: operand(value) for name, value in given.items()}


def valid_call(name: str) -> Call:
    forward = name.removesuffix("_vjp")
    row = OPERATIONS[forward]
    operands, attributes = filled(name, numpy.ones), VALID[forward][1]
    if name == forward:
        return Call(name, row.definition, operands, attributes)
    cotangent = numpy.ones(row.shape(*map(shape_of, operands.values()), **attributes))
    return Call(name, row.vjp, {"cotangent": cotangent, **operands}, attributes)
