"""The arrays of a call, where not every array of the right shape is valid."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy
from hypothesis import strategies as st

from convspec.strategies.arrays import integers
from convspec.strategies.axes import Draw

# Makes arrays of a shape, in the dtype and with the elements that the caller asked for.
Make = Callable[[Any], st.SearchStrategy[Any]]
Made = dict[str, Any]


def any_operands(draw: Draw, shapes: dict[str, Any], attributes: Made, make: Make) -> Made:
    """Operands of which every array is right; a list of shapes makes a list of arrays."""
    del attributes
    return {
        name: list(map(draw, map(make, shape))) if isinstance(shape, list) else draw(make(shape))
        for name, shape in shapes.items()
    }


def masked(draw: Draw, shapes: dict[str, Any], attributes: Made, make: Make) -> Made:
    """`dropout`: a mask of 0 and 1."""
    others = {name: shape for name, shape in shapes.items() if name != "mask"}
    drawn = any_operands(draw, others, attributes, make)
    return {**drawn, "mask": draw(integers(shapes["mask"], 1))}


def labelled(draw: Draw, shapes: dict[str, Any], attributes: Made, make: Make) -> Made:
    """`cross_entropy`: a label is one of the classes."""
    others = {name: shape for name, shape in shapes.items() if name != "labels"}
    drawn = any_operands(draw, others, attributes, make)
    return {**drawn, "labels": draw(integers(shapes["labels"], shapes["logits"][1] - 1))}


def switched(draw: Draw, shapes: dict[str, Any], attributes: Made, make: Make) -> Made:
    """`max_unpool`: each value is read from the place that its index names, so that a repeated
    index carries equal values.
    """
    shape, places = shapes["values"], prod(attributes["output_size"])
    first = {name: draw(make(s)) for name, s in shapes.items() if name == "cotangent"}
    indices = draw(integers(shape, places - 1))
    image = draw(make((*shape[:2], places)))
    flat = indices.reshape((*shape[:2], prod(shape[2:])))
    values = numpy.take_along_axis(image, flat, axis=2).reshape(shape)
    return {**first, "values": values, "indices": indices}


def normal(draw: Draw, shapes: dict[str, Any], attributes: Made, make: Make) -> Made:
    """`batch_norm`: a variance is not negative, and not 0 where `epsilon` is."""
    drawn = any_operands(draw, shapes, attributes, make)
    variance = abs(drawn["variance"])
    if attributes["epsilon"] == 0:
        variance = numpy.where(variance == 0, numpy.ones_like(variance), variance)
    return {**drawn, "variance": variance}


# The operations whose arrays are constrained.
OPERANDS = {
    "dropout": masked,
    "cross_entropy": labelled,
    "max_unpool": switched,
    "batch_norm": normal,
}
