"""Why no law of `properties/laws` sees a deviation, although `convspec check` does."""

from __future__ import annotations

from convspec.oracle.deviations.layout import LAYOUT
from convspec.oracle.deviations.validation import VALIDATION

_WITHOUT: dict[str, tuple[str, ...]] = {
    "laws leave open what the spec leaves open": (
        "empty window gives -inf",
        "empty window gives the lowest finite number",
        "empty window gives zero",
        "empty window gives NaN",
        "padding multiplied by the weight",
        "subnormal numbers flushed to zero",
    ),
    "laws take any of several equal maxima": (
        "last maximum on ties",
        "gradient split among the maxima on ties",
        "gradient to the last maximum on ties",
    ),
    "laws are stated of numbers so small that coarse arithmetic is exact": (
        "operands truncated to bfloat16",
        "operands rounded to TF32",
        "result truncated toward zero",
        "average accumulated in the storage dtype",
        "average by a single-precision reciprocal",
        "result rounded to three decimals",
    ),
    "laws are stated of floating numbers": (
        "integer maximum turned into floats by padding",
        "integer overflow wraps",
        "pairs of products saturate at 16 bits",
        "integer average truncated",
    ),
    "laws take float32 for float64, which an implementation need not have": (
        "float64 computed in float32",
        "always float32",
    ),
    "the arrays of a law lie in memory one element after the other": tuple(
        deviation.name for deviation in LAYOUT
    ),
    "the arrays of a law are smaller than where it begins": (
        "input channels past 32 left out",
        "output channels past 16 left at zero",
        "positions past 255 wrap",
        "windows cut at 64 taps",
    ),
    "no law makes two calls that differ in this attribute alone": (
        "cache key lacks the dilation",
        "cache key lacks the p",
        "cache key lacks the ceil_mode",
        "cache key lacks the rate",
        "cache key lacks the kind",
        "cache key lacks the coordinates",
    ),
    "laws are stated of calls that the spec allows": tuple(
        deviation.name for deviation in VALIDATION
    ),
}
WITHOUT_LAW: dict[str, str] = {name: reason for reason, names in _WITHOUT.items() for name in names}
