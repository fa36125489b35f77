"""Open points: what an implementation does where the spec leaves it free, measured, not failed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from convspec.arguments import Array
from convspec.oracle.call import Callee, Failed, Outcome, Returned, Unsupported, call

Attributes = dict[str, Any]
_CONV: Attributes = {"stride": (1,), "padding": ((0, 0),), "dilation": (1,), "groups": 1}
_TRANSPOSED: Attributes = {**_CONV, "output_padding": (0,)}
_POOL: Attributes = {
    "kernel_size": (2,),
    "stride": (1,),
    "padding": ((0, 0),),
    "dilation": (1,),
    "ceil_mode": False,
}


def _called(
    operation: str, target: Callee, operands: dict[str, Array], attributes: Attributes
) -> Outcome:
    """A call of rank 1, or the same in two dimensions where that is not offered."""
    outcome = call(target, operation, operands, attributes)
    if isinstance(outcome, Returned):
        return outcome
    lifted = {name: array[..., None, :] for name, array in operands.items()}
    plane = call(
        target, operation, lifted, {name: _lifted(name, v) for name, v in attributes.items()}
    )
    return plane if isinstance(plane, Returned) else outcome


def _lifted(name: str, value: Any) -> Any:
    """An attribute of one axis with a trivial axis before it."""
    if not isinstance(value, tuple):
        return value
    trivial: Any = {"padding": (0, 0), "output_padding": 0}.get(name, 1)
    return (trivial, *value)


def _first(outcome: Returned, output: int = 0) -> float | None:
    """The first number of an output, or None where it has none."""
    flat = outcome.outputs[output].ravel()
    return float(flat[0]) if flat.size else None


def _attributes(operation: str) -> Attributes:
    if "pool" in operation:
        extra = {"count_include_pad": False} if operation.startswith("average") else {}
        return {**_POOL, **extra}
    if operation.startswith("conv_transpose"):
        return _TRANSPOSED
    return _CONV if operation.startswith("conv") and "volve" not in operation else {"mode": "full"}


def _row(*values: float, dtype: Any = "float64") -> Array:
    return numpy.array([[values]], dtype)


def _pool_attributes(operation: str, **changed: Any) -> Attributes:
    return {**_attributes(operation), **changed}


def empty_window(operation: str, target: Callee, dtype: Any) -> str | None:
    """A window without any element: what a maximum or an average of nothing is."""
    geometries = (
        {"kernel_size": (1,), "padding": ((1, 1),)},
        {"kernel_size": (2,), "padding": ((2, 2),), "dilation": (4,)},
    )
    seen = None
    for changed in geometries:
        attributes = _pool_attributes(operation, **changed)
        outcome = _called(operation, target, {"input": _row(1, 2, dtype=dtype)}, attributes)
        if isinstance(outcome, Failed) and outcome.kind == "raises":
            seen = "error"
        elif isinstance(outcome, Returned) and outcome.outputs[0].size:
            return _named(float(outcome.outputs[0].ravel()[0]), dtype)
    return seen


def _named(value: float, dtype: Any) -> str:
    if value != value:
        return "nan"
    if value == -numpy.inf:
        return "-inf"
    known = {0.0: "zero", float(numpy.finfo(dtype).min): "lowest"}
    return known.get(value, f"{value:g}")


def index_on_ties(operation: str, target: Callee, dtype: Any) -> str | None:
    """Which of two equal maxima an index points to."""
    outcome = _called(operation, target, {"input": _row(5, 5, dtype=dtype)}, _attributes(operation))
    if not isinstance(outcome, Returned):
        return None
    known: dict[float | None, str] = {0.0: "first", 1.0: "last"}
    return known.get(_first(outcome, 1), "neither")


def gradient_on_ties(operation: str, target: Callee, dtype: Any) -> str | None:
    """How a cotangent is shared between two equal maxima."""
    operands = {"cotangent": _row(4, dtype=dtype), "input": _row(5, 5, dtype=dtype)}
    outcome = _called(operation, target, operands, _attributes(operation))
    if not isinstance(outcome, Returned):
        return None
    shares = tuple(float(x) for x in outcome.outputs[0].ravel())
    known: dict[tuple[float, ...], str] = {
        (4.0, 0.0): "first",
        (0.0, 4.0): "last",
        (2.0, 2.0): "split",
        (4.0, 4.0): "all",
    }
    return known.get(shares, f"{shares}")


def integer_overflow(operation: str, target: Callee, _: Any) -> str | None:
    """Whether a product that its dtype cannot hold wraps, or is computed in a wider one."""
    large = numpy.array([[[2**30]]], numpy.int32)
    four = numpy.array([[[4]]], numpy.int32)
    operands = {"input": large, "weight": four}
    if operation in ("convolve", "correlate"):
        operands = {"f": large.ravel(), "g": four.ravel()}
    outcome = _called(operation, target, operands, _attributes(operation))
    if not isinstance(outcome, Returned):
        return "refused" if isinstance(outcome, Failed) else None
    value = _first(outcome)
    known: dict[float | None, str] = {2.0**32: "widens", 0.0: "wraps"}
    return known.get(value, f"gives {value} for 2^32 in int32")


def non_finite_weight_on_padding(operation: str, target: Callee, dtype: Any) -> str | None:
    """Whether a weight that falls on padding is skipped, or multiplied by zero."""
    weight = numpy.array([[[numpy.inf, 1.0]]], dtype)
    attributes = {**_CONV, "padding": ((1, 1),)}
    outcome = _called(
        operation, target, {"input": _row(1, dtype=dtype), "weight": weight}, attributes
    )
    if not isinstance(outcome, Returned) or outcome.outputs[0].size != 2:
        return None
    return "multiplied" if numpy.isnan(outcome.outputs[0].ravel()[0]) else "skipped"


def subnormals(operation: str, target: Callee, dtype: Any) -> str | None:
    """Whether a subnormal product, or average, is kept or flushed to zero."""
    tiny = float(numpy.finfo(dtype).smallest_normal)
    operands = {"input": _row(tiny, dtype=dtype), "weight": _row(0.5, dtype=dtype)}
    if operation in ("convolve", "correlate"):
        operands = {"f": operands["input"].ravel(), "g": operands["weight"].ravel()}
    elif operation == "average_pool":
        operands = {"input": _row(tiny, 0, dtype=dtype)}
    outcome = _called(operation, target, operands, _attributes(operation))
    if not isinstance(outcome, Returned):
        return None
    value = _first(outcome)
    return None if value is None else "flushed" if value == 0 else "kept"


def sign_of_zero(operation: str, target: Callee, dtype: Any) -> str | None:
    """The sign of the only term of a sum, where that term is -0."""
    operands = {"input": _row(-0.0, dtype=dtype), "weight": _row(1, dtype=dtype)}
    if operation in ("convolve", "correlate"):
        operands = {"f": operands["input"].ravel(), "g": operands["weight"].ravel()}
    outcome = _called(operation, target, operands, _attributes(operation))
    if not isinstance(outcome, Returned):
        return None
    value = _first(outcome)
    return None if value is None else ("minus" if numpy.signbit(value) else "plus")


def empty_batch(operation: str, target: Callee, dtype: Any) -> str | None:
    """Whether a batch of no items is accepted."""
    operands = {"input": numpy.zeros((0, 1, 3), dtype)}
    if "pool" not in operation:
        operands["weight"] = numpy.ones((1, 1, 2), dtype)
    outcome = _called(operation, target, operands, _attributes(operation))
    if isinstance(outcome, Unsupported):
        return None
    return "accepted" if isinstance(outcome, Returned) else "refused"


def kernel_beyond_input_under_ceil(operation: str, target: Callee, dtype: Any) -> str | None:
    """What ceil mode makes of a kernel one larger than its input."""
    attributes = _pool_attributes(operation, kernel_size=(3,), stride=(2,), ceil_mode=True)
    outcome = _called(operation, target, {"input": _row(1, 2, dtype=dtype)}, attributes)
    if isinstance(outcome, Unsupported):
        return None
    return "refused" if isinstance(outcome, Failed) else f"{outcome.outputs[0].size} outputs"


Probe = Callable[[str, Callee, Any], str | None]
_SUMS = ("convolve", "correlate", "conv", "conv_transpose")
_POOLS = ("max_pool", "max_pool_with_indices", "average_pool")

OPEN_POINTS: dict[str, tuple[tuple[str, ...], Probe]] = {
    "empty_window": (_POOLS, empty_window),
    "index_on_ties": (("max_pool_with_indices",), index_on_ties),
    "gradient_on_ties": (("max_pool_vjp", "max_pool_with_indices_vjp"), gradient_on_ties),
    "integer_overflow": (_SUMS, integer_overflow),
    "non_finite_weight_on_padding": (("conv",), non_finite_weight_on_padding),
    "subnormals": ((*_SUMS, "average_pool"), subnormals),
    "sign_of_zero": (_SUMS, sign_of_zero),
    "empty_batch": (("conv", "conv_transpose", *_POOLS), empty_batch),
    "kernel_beyond_input_under_ceil": (_POOLS, kernel_beyond_input_under_ceil),
}


def open_points(operation: str, target: Callee, dtype: numpy.dtype[Any]) -> dict[str, str]:
    """The value of every open point that an operation has, where it can be measured."""
    values = {}
    floating = dtype if dtype.kind == "f" else numpy.dtype("float64")
    for name, (operations, probe) in OPEN_POINTS.items():
        if operation in operations:
            with numpy.errstate(all="ignore"):
                value = probe(operation, target, floating)
            if value is not None:
                values[name] = value
    return values
