"""VGG-16 and VGG-19: convolutions 3 by 3 and pools 2 by 2, nothing else.

Simonyan and Zisserman, arXiv:1409.1556, configurations D and E.
"""

from __future__ import annotations

from convspec.network.layers import (
    Network,
    Part,
    conv,
    dropout,
    flatten,
    linear,
    max_pool,
    relu,
    softmax,
)

DEPTHS = (64, 128, 256, 512, 512)


def vgg16() -> Network:
    """Configuration D: 13 convolutions, 3 dense layers."""
    return Network("vgg16", (3, 224, 224), (*_stages(2, 2, 3, 3, 3), *_classifier()))


def vgg19() -> Network:
    """Configuration E: 16 convolutions, 3 dense layers."""
    return Network("vgg19", (3, 224, 224), (*_stages(2, 2, 4, 4, 4), *_classifier()))


def stage(number: int, depth: int, convolutions: int, first_padding: int = 1) -> list[Part]:
    """The convolutions of a stage, each with its relu, without the pool behind them."""
    parts: list[Part] = []
    for position in range(1, convolutions + 1):
        padding = first_padding if position == 1 else 1
        name = f"{number}_{position}"
        parts += [conv(depth, 3, padding=padding, name=f"conv{name}"), relu(name=f"relu{name}")]
    return parts


def _stages(*convolutions: int) -> list[Part]:
    parts: list[Part] = []
    for number, (depth, count) in enumerate(zip(DEPTHS, convolutions, strict=True), start=1):
        parts += [*stage(number, depth, count), max_pool(2, name=f"pool{number}")]
    return parts


def _classifier() -> list[Part]:
    parts: list[Part] = [flatten()]
    for number in (6, 7):
        parts += [linear(4096, name=f"fc{number}"), relu(name=f"relu{number}"), dropout(0.5)]
    return [*parts, linear(1000, name="fc8"), softmax()]
