"""The head of SPP-net: He, Zhang, Ren and Sun, arXiv:1406.4729: from maps of any size to a vector
of one length.

Input are the 256 maps of conv5, of 13 by 13 or any other size.  The documents use grids of 4, 2 and
1, that is 21 times 256 features; the paper's Figure 3 does too, its ImageNet networks add 6 and 3
in place of 4 (`sppnet_imagenet`: 50 times 256).

The documents ask about 14 by 14 maps in 4 by 4 windows of 5 with stride 4, which the paper's own
rule, windows of ceil(a / n) with stride floor(a / n), does not give either: it gives 4 and 3,
and leaves the last row and column unread.  The operation's windows, floor(i a / n) to
ceil((i + 1) a / n), read everything, and are the paper's where those do, as on 13 by 13 maps with
grids of 3, 2 and 1.
"""

from __future__ import annotations

from convspec.network.layers import (
    Network,
    Part,
    dropout,
    linear,
    relu,
    softmax,
    spatial_pyramid_pool,
)


def sppnet_head() -> Network:
    """The pyramid of the documents."""
    return Network("sppnet-head", (256, 13, 13), _head((4, 2, 1)))


def sppnet_imagenet_head() -> Network:
    """The pyramid of the paper's ImageNet networks."""
    return Network("sppnet-imagenet-head", (256, 13, 13), _head((6, 3, 2, 1)))


def _head(levels: tuple[int, ...]) -> tuple[Part, ...]:
    return (
        spatial_pyramid_pool(levels, name="pyramid"),
        linear(4096, name="fc6"),
        relu(),
        dropout(0.5),
        linear(4096, name="fc7"),
        relu(),
        dropout(0.5),
        linear(1000, name="fc8"),
        softmax(),
    )
