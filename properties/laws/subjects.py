"""What each law is about, read off the table and the signatures, so that a new row joins in."""

from __future__ import annotations

from convspec.case import attribute_defaults
from convspec.operations import OPERATIONS


def having(attribute: str) -> list[str]:
    """The operations that take this attribute."""
    return [name for name in OPERATIONS if attribute in attribute_defaults(name)]


# Windows that slide over the input with the same weights everywhere.  A transposed convolution
# slides over its output; local connections have other weights at every position.
SLIDING = [name for name in having("stride") if name not in ("conv_transpose", "locally_connected")]
# Pools whose number of outputs, and not their window, is given.
ADAPTIVE = {"adaptive_max_pool": "max_pool", "adaptive_average_pool": "average_pool"}
# The operations to which it is the same in which order the axes of space come.  Flattening, a
# pyramid, sub-pixels and switches put positions in order, a dense layer and a loss have none.
SPATIAL = [
    name
    for name in OPERATIONS
    if name
    not in (
        *("flatten", "spatial_pyramid_pool", "pixel_shuffle", "max_unpool"),
        *("linear", "cross_entropy", "l2_penalty"),
    )
]
# The weights of every output sum to 1, whatever the input: pools (with padding not counted) but
# no norm, and whatever moves or interpolates without adding zeros.
AVERAGING = [
    *("max_pool", "max_pool_with_indices", "average_pool", "distance_weighted_pool"),
    *("adaptive_max_pool", "adaptive_average_pool", "spatial_pyramid_pool"),
    *("upsample", "pixel_shuffle", "flatten"),
]
BIASED = [name for name, row in OPERATIONS.items() if "bias" in row.operands]
# Every operation with every operand that the table calls it linear in.
LINEAR = [(name, operand) for name, row in OPERATIONS.items() for operand in row.linear_in]
