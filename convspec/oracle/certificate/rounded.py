r"""Certificates of floating-point numbers, within what rounding allows.

A correct output lies within $b_o = ((1 + u)^t - 1) M_o$ of the exact one, with the layer's unit
roundoff $u$, its $t$ terms and $M_o = \sum |w_o||x| + |\beta_o|$ (docs/rounding.md).  By Cauchy and
Schwarz, all channels of a position together have

$$ \|M\|_2 \le \mu = \|W\|_F\, \|x_\text{window}\|_2 + \|\beta\|_2 . $$

**A correct layer passes.**  Its errors $e$ were made before the coefficients $r$ were drawn, which
are uniform over the integers from $-R$ to $R$ and hence sub-Gaussian with parameter
$(R + 1/2)^2 / 3$ (because $\sinh z \le z\, e^{z^2 / 6}$), so that a projection $\sum_o r_o e_o$ is
beyond

$$ T = \bigl(R + \tfrac12\bigr) \sqrt{\tfrac23 \ln \tfrac{2}{\varepsilon}}\; \|b\|_2,
   \qquad \|b\|_2 \le \bigl((1 + u)^t - 1\bigr) \mu, $$

with probability at most $\varepsilon$, which is $2^{-40}$ divided by the number of projections of
all positions.  No assumption is made about how the layer rounds.

**An error is seen.**  If some output is off by $\tau\, T / R$, then whatever the errors of the
others are, at most $2R / \tau + 2$ of the $2R + 1$ values of its coefficient leave the projection
within the bound, so that it escapes $k$ projections with probability at most

$$ \Bigl(\frac{1}{\tau} + \frac{1}{R}\Bigr)^k < 2^{-40} . $$

The certificate's own roundings, in float64, are added to $T$; they are why there is a 2 above.
"""

from __future__ import annotations

from math import log, sqrt

import numpy

from convspec.arguments import Array
from convspec.oracle.certificate.exact import ESCAPE
from convspec.oracle.certificate.finding import Finding, refuted, uncertified
from convspec.oracle.certificate.form import Form
from convspec.oracle.certificate.projection import drawn, projected_output, projected_with_norms
from convspec.rounding import growth, largest, precision, smallest_normal, unit_roundoff

PROJECTIONS = 8
REACH = 2**20
# The factor between what passes and what is seen but for a probability below 2^-ESCAPE.
SEEN = 33.0
assert (1 / SEEN + 1 / REACH) ** PROJECTIONS < 2.0**-ESCAPE


def allowed(layer: Form, magnitudes: Array) -> Array:
    r"""T / R at every position, from `magnitudes` of at least $\|M\|_2$.

    Half types are summed in float32 and stored once.  Every product and sum may be subnormal and
    flushed to zero.
    """
    dtype = layer.output.dtype
    half = precision(dtype) < precision(numpy.dtype("float32"))
    summed = numpy.dtype("float32") if half else dtype
    terms, width = layer.terms + 1, sqrt(layer.outputs)
    errors = growth(unit_roundoff(precision(summed)), terms) * magnitudes
    errors = errors + width * 2 * terms * smallest_normal(summed)
    if half:
        stored = unit_roundoff(precision(dtype)) * (magnitudes + errors)
        errors = errors + stored + width * smallest_normal(dtype)
    count = PROJECTIONS * max(1, magnitudes.size)
    deviation = (1 + 0.5 / REACH) * sqrt(2 / 3 * log(2 * count * 2.0**ESCAPE))
    own = growth(unit_roundoff(53), layer.outputs + layer.terms * layer.weight.shape[0] + 4)
    bounds: Array = deviation * errors + 2 * own * width * (magnitudes + errors)
    return bounds * (1 + 4 * own)


def certify_within_rounding(
    name: str, operation: str, layer: Form, rng: numpy.random.Generator
) -> Finding:
    """The certificate of a layer of real numbers."""
    with numpy.errstate(all="ignore"):
        r = drawn(rng, PROJECTIONS, REACH, layer.outputs)
        due, magnitudes = projected_with_norms(r, layer)
        if not magnitudes.max(initial=0.0) < largest(layer.output.dtype) / 2:
            return uncertified(name, operation, "it holds what is not finite, or may overflow")
        bounds = allowed(layer, magnitudes)
        off = abs(projected_output(r, layer) - due) / REACH
        # Written so that NaN is wrong.
        wrong = numpy.logical_not((off <= bounds).all(axis=1))
    if wrong.any():
        return refuted(name, operation, _worst(off, bounds, wrong))
    told = f"within rounding, by {PROJECTIONS} projections"
    scale = float(max(layer.output.max(initial=0), -layer.output.min(initial=0)))
    threshold = SEEN * float(bounds.max(initial=0.0))
    return Finding(name, operation, "certified", told, threshold, scale)


def _worst(off: Array, bounds: Array, wrong: Array) -> str:
    with numpy.errstate(divide="ignore", invalid="ignore"):
        ratio = numpy.where(off <= bounds, 0.0, off / bounds).max(axis=1)
    ratio = numpy.where(numpy.isnan(ratio), numpy.inf, ratio)
    place = tuple(int(i) for i in numpy.unravel_index(ratio.argmax(), ratio.shape))
    index = ", ".join(map(str, (place[0], ":", *place[1:])))
    return (
        f"the outputs at [{index}] are off by {ratio[place]:.3g} times what rounding allows, and "
        f"those at {int(wrong.sum())} of {wrong.size} positions by more than it does"
    )
