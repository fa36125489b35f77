"""Bad operands, in shape or in what they hold, taken for good ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from convspec.oracle.deviations.edits import rewriting, spatial
from convspec.oracle.deviations.families import having
from convspec.oracle.deviations.record import Deviation


def _cropped_mask(mask: Any, input: Any, **_: Any) -> dict[str, Any]:
    return {"mask": numpy.asarray(mask)[tuple(map(slice, numpy.shape(input)))]}


def _one_a_channel(operand: str) -> Callable[..., dict[str, Any]]:
    """As many entries as there are channels."""
    return lambda **a: {operand: a[operand][: numpy.shape(a["input"])[1]]}


def _within(operand: str, among: Callable[..., int]) -> Callable[..., dict[str, Any]]:
    """Integers beyond a range taken for the last of it."""
    return lambda **a: {operand: numpy.minimum(a[operand], among(**a) - 1)}


def _from_the_end(operand: str, among: Callable[..., int]) -> Callable[..., dict[str, Any]]:
    """Negative integers counted from the end, as Python does it."""
    return lambda **a: {
        operand: numpy.where(a[operand] < 0, numpy.maximum(a[operand] + among(**a), 0), a[operand])
    }


def _classes(logits: Any, **_: Any) -> int:
    return int(numpy.shape(logits)[1])


def _places(output_size: Any, **_: Any) -> int:
    return int(numpy.prod(output_size))


def _as_many_factors(input: Any, factors: Any, **_: Any) -> dict[str, Any]:
    return {"factors": factors[: len(spatial(input))]}


BAD_OPERANDS = tuple(
    Deviation(
        name=name,
        operations=having(operand),
        kind="mistake",
        sentence=sentence,
        hidden="good arguments",
        edit=rewriting(change),
    )
    for name, operand, sentence, change in (
        (
            "masks of other numbers accepted",
            "mask",
            "Takes any number in a mask that is not 0 for 1.",
            lambda **a: {"mask": (numpy.asarray(a["mask"]) != 0).astype(int)},
        ),
        (
            "mask of any size accepted",
            "mask",
            "Crops the mask to the shape of the input.",
            _cropped_mask,
        ),
        (
            "label beyond the classes taken for the last",
            "labels",
            "Takes a label that is no class for the last class.",
            _within("labels", _classes),
        ),
        (
            "negative label counted from the end",
            "labels",
            "Takes a label of -1 for the last class, as an index of Python.",
            _from_the_end("labels", _classes),
        ),
        (
            "superfluous labels ignored",
            "labels",
            "Uses as many labels as there are items.",
            lambda **a: {"labels": a["labels"][: len(a["logits"])]},
        ),
        (
            "index beyond the output taken for the last",
            "indices",
            "Takes an index beyond the output for its last position.",
            _within("indices", _places),
        ),
        (
            "negative index counted from the end",
            "indices",
            "Takes an index of -1 for the last position, as an index of Python.",
            _from_the_end("indices", _places),
        ),
        (
            "superfluous means ignored",
            "mean",
            "Uses as many means as there are channels.",
            _one_a_channel("mean"),
        ),
        (
            "superfluous variances ignored",
            "variance",
            "Uses as many variances as there are channels.",
            _one_a_channel("variance"),
        ),
        (
            "superfluous factors ignored",
            "factors",
            "Uses as many factors as there are spatial axes.",
            _as_many_factors,
        ),
        (
            "superfluous channels of a pointwise weight ignored",
            "pointwise",
            "Uses as many columns of the pointwise weight as the depthwise one has outputs.",
            lambda **a: {"pointwise": a["pointwise"][:, : len(a["depthwise"])]},
        ),
    )
)
