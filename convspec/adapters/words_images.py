"""scikit-image's words for a pooling by blocks, or a correlation without channels."""

from __future__ import annotations

import numpy

from convspec.adapters.words import NotSaidError, Words, call_words, ones
from convspec.case import Case


def _blocks(case: Case) -> str:
    """`block_reduce` of whole blocks; what floor leaves over is cut off first."""
    given = case.attributes
    if given["stride"] != given["kernel_size"]:
        raise NotSaidError("blocks neither overlap nor leave gaps: the stride is the kernel")
    if numpy.any(given["padding"]) or given["dilation"] != ones(case):
        raise NotSaidError("there is neither padding nor dilation")
    sizes = case.operands["input"].shape[2:]
    partial = [n % k != 0 for n, k in zip(sizes, given["kernel_size"], strict=True)]
    maximum = case.operation == "max_pool"
    if any(partial) and given["ceil_mode"] and not maximum:
        raise NotSaidError("the last block is filled up with zeros, which the mean counts")
    whole = [n - n % k for n, k in zip(sizes, given["kernel_size"], strict=True)]
    cut = any(partial) and not given["ceil_mode"]
    operand = f"input[:, :, {', '.join(f':{n}' for n in whole)}]" if cut else "input"
    by = "numpy.max" if maximum else "numpy.mean"
    filling = ", cval=-numpy.inf" if any(partial) and given["ceil_mode"] else ""
    block = (1, 1, *given["kernel_size"])
    return f"skimage.measure.block_reduce({operand}, {block}, {by}{filling})"


def _correlate(case: Case) -> str:
    first, second = (operand.shape for operand in case.operands.values())
    mode = case.attributes["mode"]
    if mode == "full":
        raise NotSaidError("there are the modes same, which it calls constant, and valid")
    if mode == "same" and any(size % 2 == 0 for size in second):
        raise NotSaidError("kernels of odd sizes alone have a centre")
    if mode == "valid" and any(map(int.__lt__, first, second)):
        raise NotSaidError("the kernel must lie inside the image")
    name = "constant" if mode == "same" else mode
    return call_words("skimage.filters.correlate_sparse", ["f", "g"], {"mode": name})


WORDS: dict[str, dict[str, Words]] = {
    "scikit-image": {"max_pool": _blocks, "average_pool": _blocks, "correlate": _correlate},
}
