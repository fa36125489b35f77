"""Geometries of pooling and unpooling."""

from __future__ import annotations

from functools import partial

from hypothesis import strategies as st

from convspec.adaptive_pooling import KINDS
from convspec.arguments import Shape
from convspec.strategies.axes import (
    SCOPES,
    Draw,
    Geometry,
    Scope,
    axes_of,
    batches,
    images,
    kernels_of,
    pool_axis,
    sizes_of,
    sliding_attributes,
    up_to,
)

# Exponents of a norm; 1 is the simplest, 2 the default, 1.5 neither whole nor a root.
EXPONENTS = (1, 2, 3, 1.5)


@st.composite
def pool(draw: Draw, *, counts: bool = False, norm: bool = False) -> Geometry:
    """`max_pool` and its like; `counts` for the average, `norm` for `lp_pool`."""
    batch, channels = draw(batches()), draw(up_to(5))
    ceil = draw(st.booleans())
    axes = axes_of(draw, partial(pool_axis, ceil=ceil))
    attributes = {
        "kernel_size": kernels_of(axes),
        **sliding_attributes(axes),
        "ceil_mode": ceil,
    }
    if counts:
        attributes["count_include_pad"] = draw(st.booleans())
    if norm:
        attributes["p"] = draw(st.sampled_from(EXPONENTS))
    return {"input": (batch, channels, *sizes_of(axes))}, attributes


@st.composite
def distance_weighted_pool(draw: Draw) -> Geometry:
    """`distance_weighted_pool`: neither dilation nor ceil mode."""
    batch, channels = draw(batches()), draw(up_to(3))
    axes = axes_of(draw, lambda scope: pool_axis(scope._replace(dilation=1), ceil=False))
    sliding = sliding_attributes(axes)
    attributes = {
        "kernel_size": kernels_of(axes),
        "stride": sliding["stride"],
        "padding": sliding["padding"],
    }
    return {"input": (batch, channels, *sizes_of(axes))}, attributes


@st.composite
def adaptive_pool(draw: Draw) -> Geometry:
    """`adaptive_max_pool` and `adaptive_average_pool`: more windows than positions, too."""
    image = draw(images(least_rank=1))
    largest = SCOPES[len(image) - 2].size + 1
    return {"input": image}, {"output_size": tuple(draw(up_to(largest)) for _ in image[2:])}


@st.composite
def spatial_pyramid_pool(draw: Draw) -> Geometry:
    """`spatial_pyramid_pool`: levels in any order, a level twice among them."""
    image = draw(images(least_rank=1))
    levels = draw(st.lists(up_to(4), min_size=1, max_size=3).map(tuple))
    return {"input": image}, {"levels": levels, "kind": draw(st.sampled_from(KINDS))}


@st.composite
def _unpooled_axis(draw: Draw, scope: Scope) -> tuple[int, int]:
    """How many values, and how many places for them: either may be the larger number."""
    return draw(up_to(scope.kernel)), draw(up_to(scope.size))


@st.composite
def max_unpool(draw: Draw) -> Geometry:
    """`max_unpool`."""
    batch, channels = draw(batches()), draw(up_to(3))
    pooled, sizes = zip(*axes_of(draw, _unpooled_axis), strict=True)
    shape: Shape = (batch, channels, *pooled)
    return {"values": shape, "indices": shape}, {"output_size": sizes}
