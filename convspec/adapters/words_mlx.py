"""MLX's words for a configuration: its channels come last, and its dimensions are three at most."""

from __future__ import annotations

from typing import Any

from convspec.adapters.words import (
    AXES,
    NotSaidError,
    Words,
    call_words,
    dimensions,
    one_for_both_sides,
    ones,
    rank_of,
    unless,
)
from convspec.case import Case


def _plain(entries: tuple[int, ...]) -> Any:
    """Entries as MLX takes them: of one axis a number alone."""
    return entries[0] if len(entries) == 1 else entries


def _last(name: str, axis: int = 1) -> str:
    return f"mlx.core.moveaxis({name}, {axis}, -1)"


def _second(case: Case, call: str) -> str:
    """The channels brought back to their place, a bias added before."""
    biased = f"{call} + bias" if "bias" in case.operands else call
    return f"mlx.core.moveaxis({biased}, -1, 1)"


def _conv(case: Case) -> str:
    given = case.attributes
    if dimensions(case) == AXES and given["groups"] != 1:
        raise NotSaidError("there are no groups in three dimensions")
    sides = tuple(list(side) for side in zip(*given["padding"], strict=True))
    settings = {
        "stride": unless(given["stride"], ones(case)),
        "padding": sides if any(map(any, sides)) else None,
        "kernel_dilation": unless(given["dilation"], ones(case)),
        "groups": unless(given["groups"], 1),
    }
    return _second(
        case, call_words("mlx.core.conv_general", [_last("input"), _last("weight")], settings)
    )


def _conv_transpose(case: Case) -> str:
    given, padding = case.attributes, one_for_both_sides(case)
    if given["groups"] != 1:
        raise NotSaidError("transposed convolutions have no groups")
    kernel = case.operands["weight"].shape[2:]
    if any(
        amount > d * (k - 1)
        for amount, d, k in zip(padding, given["dilation"], kernel, strict=True)
    ):
        raise NotSaidError("padding as large as the kernel takes more away than it should")
    zeros = (0,) * rank_of(case)
    settings = {
        "stride": unless(given["stride"], ones(case)),
        "padding": unless(padding, zeros),
        "dilation": unless(given["dilation"], ones(case)),
        "output_padding": unless(given["output_padding"], zeros),
    }
    plain = {name: value and _plain(value) for name, value in settings.items()}
    name = f"mlx.core.conv_transpose{dimensions(case)}d"
    return _second(case, call_words(name, [_last("input"), _last("weight", 0)], plain))


def _pool(case: Case) -> str:
    given, padding = case.attributes, one_for_both_sides(case)
    if given["ceil_mode"] or given["dilation"] != ones(case):
        raise NotSaidError("pools have neither ceil mode nor dilation")
    average = case.operation == "average_pool"
    if average and any(padding) and not given["count_include_pad"]:
        raise NotSaidError("average pools count their padding")
    settings = {
        "stride": unless(given["stride"], given["kernel_size"]),
        "padding": unless(padding, (0,) * rank_of(case)),
    }
    plain = {name: value and _plain(value) for name, value in settings.items()}
    name = f"mlx.nn.{'Avg' if average else 'Max'}Pool{dimensions(case)}d"
    pool = call_words(name, [repr(_plain(given["kernel_size"]))], plain)
    return _second(case, f"{pool}({_last('input')})")


def _convolve(case: Case) -> str:
    first, second = (operand.shape for operand in case.operands.values())
    if len(first) > 1:
        raise NotSaidError("mlx.core.convolve takes one axis")
    mode = case.attributes["mode"]
    if mode == "same" and first < second:
        raise NotSaidError("mode same has the size of the longer operand")
    return call_words("mlx.core.convolve", ["f", "g"], {"mode": unless(mode, "full")})


WORDS: dict[str, dict[str, Words]] = {
    "MLX": {
        "conv": _conv,
        "conv_transpose": _conv_transpose,
        "max_pool": _pool,
        "average_pool": _pool,
        "convolve": _convolve,
    },
}
