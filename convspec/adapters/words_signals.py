"""NumPy's, SciPy's and JAX's words for a convolution or correlation without channels."""

from __future__ import annotations

from typing import Any

from convspec.adapters.words import NotSaidError, Words, call_words, unless
from convspec.case import Case


def _shapes(case: Case) -> tuple[tuple[int, ...], tuple[int, ...]]:
    first, second = case.operands.values()
    return first.shape, second.shape


def _numpy(case: Case) -> str:
    first, second = _shapes(case)
    if len(first) > 1:
        raise NotSaidError("there is one axis")
    if case.attributes["mode"] == "same" and second > first:
        raise NotSaidError("mode same has the size of the longer operand")
    return call_words(f"numpy.{case.operation}", ["f", "g"], {"mode": case.attributes["mode"]})


def _scipy(case: Case) -> str:
    mode = unless(case.attributes["mode"], "full")
    return call_words(f"scipy.signal.{case.operation}", ["f", "g"], {"mode": mode})


def _ndimage(case: Case) -> str:
    if case.attributes["mode"] != "same":
        raise NotSaidError("the size of the first operand is kept: mode same")
    # Its convolve moves the origin of an even kernel, and its correlate does not.
    moved = tuple(
        -1 if case.operation == "convolve" and size % 2 == 0 else 0 for size in _shapes(case)[1]
    )
    settings: dict[str, Any] = {"mode": "constant", "origin": moved if any(moved) else None}
    return call_words(f"scipy.ndimage.{case.operation}", ["f", "g"], settings)


def _jax(case: Case) -> str:
    first, second = _shapes(case)
    pairs = list(zip(first, second, strict=True))
    if any(n < m for n, m in pairs) and any(n > m for n, m in pairs):
        raise NotSaidError("one operand must be smaller than the other on every axis")
    mode = unless(case.attributes["mode"], "full")
    return call_words(f"jax.scipy.signal.{case.operation}", ["f", "g"], {"mode": mode})


def _of_both(tell: Words) -> dict[str, Words]:
    return {"convolve": tell, "correlate": tell}


WORDS: dict[str, dict[str, Words]] = {
    "NumPy": _of_both(_numpy),
    "SciPy": _of_both(_scipy),
    "scipy.ndimage": _of_both(_ndimage),
    "JAX": _of_both(_jax),
}
