"""The catalogue of known mistakes and conventions: `DEVIATIONS`, by name.

One theme a file.  The oracle is tested with them, and names a mistake by them.
"""

from __future__ import annotations

from convspec.oracle.deviations.activations import ACTIVATIONS
from convspec.oracle.deviations.adaptive import ADAPTIVE_POOLING
from convspec.oracle.deviations.dilations import DILATIONS
from convspec.oracle.deviations.fast_paths import FAST_PATHS
from convspec.oracle.deviations.geometry import GEOMETRY
from convspec.oracle.deviations.gradients import GRADIENTS
from convspec.oracle.deviations.groups import GROUPS
from convspec.oracle.deviations.indices import PLACES
from convspec.oracle.deviations.last_window import LAST_WINDOW
from convspec.oracle.deviations.layers import LAYERS
from convspec.oracle.deviations.layout import LAYOUT
from convspec.oracle.deviations.losses import LOSSES
from convspec.oracle.deviations.norm_pooling import NORM_POOLING
from convspec.oracle.deviations.normalizing import NORMALIZING
from convspec.oracle.deviations.orientation import ORIENTATION
from convspec.oracle.deviations.pooling import POOLING
from convspec.oracle.deviations.precision import PRECISION
from convspec.oracle.deviations.rearranging import REARRANGING
from convspec.oracle.deviations.record import Deviation
from convspec.oracle.deviations.resizing import RESIZING
from convspec.oracle.deviations.signal import SIGNAL
from convspec.oracle.deviations.special_values import SPECIAL_VALUES
from convspec.oracle.deviations.state import STATE
from convspec.oracle.deviations.thresholds import THRESHOLDS
from convspec.oracle.deviations.transposed import TRANSPOSED_CONVOLUTION
from convspec.oracle.deviations.unpooling import UNPOOLING
from convspec.oracle.deviations.validation import VALIDATION
from convspec.oracle.deviations.walks import WALKS

__all__ = ["DEVIATIONS", "Deviation"]

DEVIATIONS: dict[str, Deviation] = {
    deviation.name: deviation
    for theme in (
        ORIENTATION,
        GEOMETRY,
        DILATIONS,
        WALKS,
        GROUPS,
        FAST_PATHS,
        TRANSPOSED_CONVOLUTION,
        LAST_WINDOW,
        POOLING,
        PLACES,
        GRADIENTS,
        ADAPTIVE_POOLING,
        UNPOOLING,
        NORM_POOLING,
        RESIZING,
        REARRANGING,
        LAYERS,
        NORMALIZING,
        ACTIVATIONS,
        LOSSES,
        SIGNAL,
        SPECIAL_VALUES,
        PRECISION,
        LAYOUT,
        STATE,
        THRESHOLDS,
        VALIDATION,
    )
    for deviation in theme
}
