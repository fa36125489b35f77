"""Mistakes of the catalogue that nobody makes who writes a first convolution."""

from __future__ import annotations

from convspec.oracle.deviations.fast_paths import FAST_PATHS
from convspec.oracle.deviations.state import STATE
from convspec.oracle.deviations.thresholds import THRESHOLDS

# Fast paths, caches, and thresholds of vector widths: on a learner's code, a coincidence.
UNLIKELY = (*FAST_PATHS, *STATE, *THRESHOLDS)
