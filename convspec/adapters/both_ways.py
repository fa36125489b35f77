"""A function of a framework's tensors, as a function of arrays and as the gradient of that one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from convspec.arguments import Array

Function = Callable[..., Any]


def both_ways(tensors: Any, function: Function, discrete: int = 0) -> tuple[Function, Function]:
    """A function on arrays, and its gradient; the last operands may be `discrete`.

    `tensors` is the module that says what a framework's tensors are.  Of several outputs the
    first is differentiated.
    """

    def forward(*operands: Array, **attributes: Any) -> Any:
        found = function(*tensors.tensors(*operands), **attributes)
        return tuple(map(tensors.as_array, found)) if _several(found) else tensors.as_array(found)

    def backward(cotangent: Array, *operands: Array, **attributes: Any) -> tuple[Array, ...]:
        count = len(operands) - discrete
        given = tensors.leaves(*operands[:count])
        found = function(*given, *tensors.tensors(*operands[count:]), **attributes)
        gradients: tuple[Array, ...] = tensors.gradients(
            cotangent, found[0] if _several(found) else found, given
        )
        return gradients

    return forward, backward


def _several(found: Any) -> bool:
    return isinstance(found, tuple | list)
