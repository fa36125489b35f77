"""The laws that exercises ask for: what they are about, the arguments they get, and a solution."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy

from convspec.arguments import Array
from convspec.case import Case, attribute_defaults, normalised
from convspec.operations import OPERATIONS
from convspec.oracle.deviations.edits import operand_names

Function = Callable[..., Any]


class Law(NamedTuple):
    """A law about `operations`, the last of which is replaced by wrong ones to grade it.

    `arguments(case, rng)` makes what comes after the functions out of a call of the operation
    `drawn`, `holds` is a solution, and `believed` names a misconception by functions for which it
    would be true.
    """

    operations: tuple[str, ...]
    arguments: Callable[[Case, numpy.random.Generator], tuple[Any, ...]]
    holds: Callable[..., bool]
    believed: tuple[str, tuple[Function, ...]] | None = None
    drawn: str = "conv"


def plainly(function: Function, operation: str) -> Function:
    """A function of normalised attributes, to be called as the contract says.

    >>> from convspec import fast
    >>> plainly(fast.conv, "conv")(numpy.ones((1, 1, 3)), numpy.ones((1, 1, 2)), stride=2)
    array([[[2.]]])
    """
    names = operand_names(operation)

    def called(*operands: Any, **given: Any) -> Any:
        arrays = dict(zip(names, operands, strict=False))
        arrays |= {name: given.pop(name) for name in names if name in given}
        shapes = {
            n: numpy.shape(a) for n, a in arrays.items() if a is not None and n != "cotangent"
        }
        unknown = given.keys() - attribute_defaults(operation).keys()
        if unknown:
            raise TypeError(f"{operation}() got an unexpected keyword argument {min(unknown)!r}")
        return function(*arrays.values(), **normalised(operation, shapes, given))

    return called


def _whole(rng: numpy.random.Generator, shape: tuple[int, ...]) -> Array:
    return rng.integers(-9, 10, size=shape).astype(float)


def _strided(case: Case, _: numpy.random.Generator) -> tuple[Any, ...]:
    return (*case.operands.values(), case.attributes["stride"], case.attributes["padding"])


def _thinned(conv: Function, input: Array, weight: Array, stride: Any, padding: Any) -> bool:
    dense = conv(input, weight, padding=padding)
    kept = dense[(..., *(slice(None, None, s) for s in stride))]
    return numpy.array_equal(conv(input, weight, stride=stride, padding=padding), kept)


def _with_margins(case: Case, rng: numpy.random.Generator) -> tuple[Any, ...]:
    weight, stride = case.operands["weight"], case.attributes["stride"][0]
    shift = int(rng.integers(1, 4))
    margin = numpy.zeros((1, 1, stride * shift + 2 * weight.shape[2]))
    middle = _whole(rng, (1, 1, int(rng.integers(3, 7))))
    return numpy.concatenate([margin, middle, margin], axis=2), weight, stride, shift


def _equivariant(conv: Function, input: Array, weight: Array, stride: int, shift: int) -> bool:
    moved = conv(numpy.roll(input, stride * shift, axis=2), weight, stride=stride)
    return numpy.array_equal(moved, numpy.roll(conv(input, weight, stride=stride), shift, axis=2))


def _invariant(input: Array, weight: Array, stride: Any = 1, **_: Any) -> Array:
    """The same wherever the input's elements are, and different at every place."""
    (places,) = OPERATIONS["conv"].shape(input.shape, weight.shape, stride=stride)[2:]
    return numpy.full((1, 1, places), input.sum()) * numpy.arange(1, places + 1)


def _both_sides(case: Case, rng: numpy.random.Generator) -> tuple[Any, ...]:
    """Inputs of sizes that leave no remainder: there the shapes fit without output_padding."""
    x, weight = case.operands["input"], case.operands["weight"]
    stride, ((low, high),) = case.attributes["stride"][0], case.attributes["padding"]
    left_over = (x.shape[2] + low + high - weight.shape[2]) % stride
    x = x[:, :, : x.shape[2] - left_over]
    shape = OPERATIONS["conv"].shape(x.shape, weight.shape, stride=stride, padding=((low, high),))
    return x, _whole(rng, shape), weight, stride, ((low, high),)


def _adjoint(
    conv: Function,
    conv_transpose: Function,
    x: Array,
    y: Array,
    weight: Array,
    stride: int,
    padding: Any,
) -> bool:
    there = conv(x, weight, stride=stride, padding=padding)
    back = conv_transpose(y, weight, stride=stride, padding=padding)
    if there.shape != y.shape or back.shape != x.shape:
        return False
    return bool((there * y).sum() == (x * back).sum())


def _itself(array: Array, _weight: Array, **_: Any) -> Array:
    return array


def _paired(
    conv: Function,
    conv_vjp: Function,
    cotangent: Array,
    input: Array,
    weight: Array,
    stride: Any,
    padding: Any,
) -> bool:
    d_input, d_weight = conv_vjp(cotangent, input, weight, stride=stride, padding=padding)
    one = (cotangent * conv(input, weight, stride=stride, padding=padding)).sum()
    if (d_input.shape, d_weight.shape) != (input.shape, weight.shape):
        return False
    return bool((d_input * input).sum() == one == (d_weight * weight).sum())


LAWS = {
    "property_stride": Law(("conv",), _strided, _thinned),
    "property_shift": Law(
        ("conv",), _with_margins, _equivariant, ("invariance for equivariance", (_invariant,))
    ),
    "property_transposed": Law(
        ("conv", "conv_transpose"),
        _both_sides,
        _adjoint,
        ("transposed as inverse", (_itself, _itself)),
    ),
    "property_gradients": Law(("conv", "conv_vjp"), _strided, _paired, drawn="conv_vjp"),
}
