"""The catalogue of known mistakes and conventions: `DEVIATIONS`, by name.

One theme a file.  The oracle is tested with them, and names a mistake by them.
"""

from __future__ import annotations

from convspec.oracle.deviations.fast_paths import FAST_PATHS
from convspec.oracle.deviations.geometry import GEOMETRY
from convspec.oracle.deviations.groups import GROUPS
from convspec.oracle.deviations.indices import PLACES
from convspec.oracle.deviations.orientation import ORIENTATION
from convspec.oracle.deviations.pooling import POOLING
from convspec.oracle.deviations.record import Deviation
from convspec.oracle.deviations.transposed import TRANSPOSED_CONVOLUTION

__all__ = ["DEVIATIONS", "Deviation"]

DEVIATIONS: dict[str, Deviation] = {
    deviation.name: deviation
    for theme in (
        ORIENTATION,
        GEOMETRY,
        GROUPS,
        FAST_PATHS,
        TRANSPOSED_CONVOLUTION,
        POOLING,
        PLACES,
    )
    for deviation in theme
}
