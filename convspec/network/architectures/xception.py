"""Xception: Chollet, arXiv:1610.02357, Figure 5, with depthwise separable convolutions only.

Every convolution is followed by a batch normalization, which the figure leaves out, and has no
bias.  Padding is that of the author's code: `same` but for the first two convolutions.  What the
documents call a depthwise convolution is the separable one: a kernel for each channel, then a
convolution of size 1 across channels.
"""

from __future__ import annotations

from convspec.network.layers import (
    Branches,
    Network,
    Part,
    batch_norm,
    conv,
    depthwise_separable_conv,
    flatten,
    global_average_pool,
    linear,
    max_pool,
    relu,
    residual,
    softmax,
)

EPSILON = 1e-3


def xception() -> Network:
    """Entry, middle and exit flow on 299 by 299 images."""
    parts: tuple[Part, ...] = (
        *_conv(32, 3, "conv1", stride=2),
        relu(),
        *_conv(64, 3, "conv2"),
        relu(),
        _narrowing("block2", (128, 128), first_relu=False),
        _narrowing("block3", (256, 256)),
        _narrowing("block4", (728, 728)),
        *(residual(f"block{number}", _separables((728,) * 3)) for number in range(5, 13)),
        _narrowing("block13", (728, 1024)),
        *_separable(1536, "sepconv1"),
        relu(),
        *_separable(2048, "sepconv2"),
        relu(),
        global_average_pool(name="average"),
        flatten(),
        linear(1000, name="classifier"),
        softmax(),
    )
    return Network("xception", (3, 299, 299), parts)


def _narrowing(name: str, depths: tuple[int, int], *, first_relu: bool = True) -> Branches:
    """Two separable convolutions and a pool, beside a convolution of size 1, both of stride 2."""
    separables = _separables(depths)
    parts = (
        *(separables if first_relu else separables[1:]),
        max_pool(3, stride=2, padding="same_upper", name="pool"),
    )
    return residual(name, parts, _conv(depths[-1], 1, "shortcut", stride=2))


def _separables(depths: tuple[int, ...]) -> tuple[Part, ...]:
    parts: list[Part] = []
    for number, depth in enumerate(depths, start=1):
        parts += [relu(), *_separable(depth, f"sepconv{number}")]
    return tuple(parts)


def _separable(depth: int, name: str) -> tuple[Part, ...]:
    return (
        depthwise_separable_conv(depth, 3, padding="same_upper", bias=False, name=name),
        batch_norm(epsilon=EPSILON, name=f"{name}_bn"),
    )


def _conv(depth: int, kernel: int, name: str, *, stride: int = 1) -> tuple[Part, ...]:
    return (
        conv(depth, kernel, stride=stride, bias=False, name=name),
        batch_norm(epsilon=EPSILON, name=f"{name}_bn"),
    )
