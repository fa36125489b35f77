"""Geometries of what neither pools nor has a kernel: resizing, activations, losses, norms."""

from __future__ import annotations

from math import prod
from typing import Any

from hypothesis import strategies as st

from convspec.arguments import Shape
from convspec.resize import COORDINATES, KINDS
from convspec.strategies.axes import (
    SCOPES,
    Draw,
    Geometry,
    batches,
    images,
    mostly,
    up_to,
)

# Numbers that attributes take, each list from the one that does least: exact ones, where rounding
# hides nothing, and those in use, which round.
RATES = (0.0, 0.5, 0.75, 0.1)
EPSILONS = (0.0, 1.0, 0.5, 1e-5)
STRENGTHS = (1.0, 0.0, 0.5, 0.1)
ALPHAS = (0.0, 1.0, 0.5, 1e-4)
BETAS = (0.0, 1.0, 0.5, 0.75)
CONSTANTS = (1.0, 2.0, 0.5)


@st.composite
def upsample(draw: Draw) -> Geometry:
    """`upsample`."""
    image = draw(images(least_rank=1))
    largest = SCOPES[len(image) - 2].scale
    attributes = {
        "scale": tuple(draw(up_to(largest)) for _ in image[2:]),
        "kind": draw(st.sampled_from(KINDS)),
        "coordinates": draw(st.sampled_from(COORDINATES)),
    }
    return {"input": image}, attributes


@st.composite
def insert_zeros(draw: Draw) -> Geometry:
    """`insert_zeros`."""
    image = draw(images(least_rank=1))
    largest = SCOPES[len(image) - 2].scale
    return {"input": image}, {"count": tuple(draw(mostly(0, largest)) for _ in image[2:])}


@st.composite
def pixel_shuffle(draw: Draw) -> Geometry:
    """`pixel_shuffle`: some blocks of channels, each as large as the factors say."""
    batch, blocks, *sizes = draw(images(least_rank=1))
    factors = tuple(draw(up_to(SCOPES[len(sizes)].scale)) for _ in sizes)
    return {"input": (batch, min(blocks, 3) * prod(factors), *sizes)}, {"factor": factors}


def _any_shape() -> st.SearchStrategy[Shape]:
    """Any shape at all: one number, a row, or an image of up to three spatial axes."""
    return st.just(()) | st.tuples(batches()) | images()


@st.composite
def elementwise(draw: Draw) -> Geometry:
    """`relu`, `sigmoid`, `tanh`."""
    return {"input": draw(_any_shape())}, {}


@st.composite
def flatten(draw: Draw) -> Geometry:
    """`flatten`."""
    return {"input": draw(images())}, {}


@st.composite
def softmax(draw: Draw) -> Geometry:
    """`softmax` over any axis that is not empty."""
    shape = draw(images())
    return {"input": shape}, {"axis": draw(st.integers(1 if shape[0] == 0 else 0, len(shape) - 1))}


@st.composite
def dropout(draw: Draw) -> Geometry:
    """`dropout`."""
    shape = draw(_any_shape())
    return {"input": shape, "mask": shape}, {"rate": draw(st.sampled_from(RATES))}


@st.composite
def cross_entropy(draw: Draw) -> Geometry:
    """`cross_entropy` of at least one item, for a mean over none is not defined."""
    items, classes = draw(up_to(4)), draw(up_to(6))
    return {"logits": (items, classes), "labels": (items,)}, {}


@st.composite
def l2_penalty(draw: Draw) -> Geometry:
    """`l2_penalty`."""
    return {"weight": draw(_any_shape())}, {"strength": draw(st.sampled_from(STRENGTHS))}


@st.composite
def batch_norm(draw: Draw) -> Geometry:
    """`batch_norm`."""
    image = draw(images())
    statistics: dict[str, Any] = dict.fromkeys(("mean", "variance", "scale", "shift"), image[1:2])
    return {"input": image, **statistics}, {"epsilon": draw(st.sampled_from(EPSILONS))}


@st.composite
def local_response_normalization(draw: Draw) -> Geometry:
    """`local_response_normalization`: windows wider than there are channels, too."""
    image = draw(images())
    attributes = {
        "size": draw(up_to(image[1] + 2)),
        "alpha": draw(st.sampled_from(ALPHAS)),
        "beta": draw(st.sampled_from(BETAS)),
        "k": draw(st.sampled_from(CONSTANTS)),
    }
    return {"input": image}, attributes
