"""Inception v3: Szegedy, Vanhoucke, Ioffe, Shlens and Wojna, arXiv:1512.00567.

The paper's table leaves widths inside modules open; these are those of its authors' code, as
torchvision has them.  Without the auxiliary classifier, which serves training only.  Convolutions
have no bias and are followed by batch normalization.  Sources disagree: the paper counts less than
25 million parameters, the Xception paper 23626728 for what it compares with, and this network has
23834568, of which the scales of the batch normalizations, which the authors' code leaves out, are
17216.
"""

from __future__ import annotations

from convspec.network.layers import (
    Branches,
    Network,
    Part,
    average_pool,
    batch_norm,
    concatenated,
    conv,
    dropout,
    flatten,
    global_average_pool,
    linear,
    max_pool,
    relu,
    softmax,
)


def inception_v3() -> Network:
    """The network on 299 by 299 images."""
    parts: tuple[Part, ...] = (
        *_conv(32, (3, 3), "conv1", stride=2),
        *_conv(32, (3, 3), "conv2"),
        *_conv(64, (3, 3), "conv3", padded=True),
        max_pool(3, stride=2, name="pool1"),
        *_conv(80, (1, 1), "conv4"),
        *_conv(192, (3, 3), "conv5"),
        max_pool(3, stride=2, name="pool2"),
        *(_square(name, pooled) for name, pooled in (("5b", 32), ("5c", 64), ("5d", 64))),
        _narrowing_square("6a"),
        *(
            _factorized(name, depth)
            for name, depth in (("6b", 128), ("6c", 160), ("6d", 160), ("6e", 192))
        ),
        _narrowing_factorized("7a"),
        _expanded("7b"),
        _expanded("7c"),
        global_average_pool(name="average"),
        dropout(0.5),
        flatten(),
        linear(1000, name="fc"),
        softmax(),
    )
    return Network("inception-v3", (3, 299, 299), parts)


def _square(name: str, pooled: int) -> Branches:
    """Figure 5: two convolutions 3 by 3 in place of one 5 by 5; one 5 by 5 is left as well."""
    return concatenated(
        f"mixed_{name}",
        _conv(64, (1, 1), "1x1"),
        (*_conv(48, (1, 1), "5x5_reduce"), *_conv(64, (5, 5), "5x5", padded=True)),
        (
            *_conv(64, (1, 1), "3x3_reduce"),
            *_conv(96, (3, 3), "3x3_1", padded=True),
            *_conv(96, (3, 3), "3x3_2", padded=True),
        ),
        _pooled(pooled),
    )


def _narrowing_square(name: str) -> Branches:
    """Figure 10: convolutions and a pool, both of stride 2."""
    return concatenated(
        f"mixed_{name}",
        _conv(384, (3, 3), "3x3", stride=2),
        (
            *_conv(64, (1, 1), "double_reduce"),
            *_conv(96, (3, 3), "double_1", padded=True),
            *_conv(96, (3, 3), "double_2", stride=2),
        ),
        (max_pool(3, stride=2, name="pool"),),
    )


def _factorized(name: str, depth: int) -> Branches:
    """Figure 6 with n = 7: a convolution n by n as one 1 by n and one n by 1."""
    return concatenated(
        f"mixed_{name}",
        _conv(192, (1, 1), "1x1"),
        (
            *_conv(depth, (1, 1), "7x7_reduce"),
            *_conv(depth, (1, 7), "1x7", padded=True),
            *_conv(192, (7, 1), "7x1", padded=True),
        ),
        (
            *_conv(depth, (1, 1), "double_reduce"),
            *_conv(depth, (7, 1), "double_7x1_1", padded=True),
            *_conv(depth, (1, 7), "double_1x7_1", padded=True),
            *_conv(depth, (7, 1), "double_7x1_2", padded=True),
            *_conv(192, (1, 7), "double_1x7_2", padded=True),
        ),
        _pooled(192),
    )


def _narrowing_factorized(name: str) -> Branches:
    return concatenated(
        f"mixed_{name}",
        (*_conv(192, (1, 1), "3x3_reduce"), *_conv(320, (3, 3), "3x3", stride=2)),
        (
            *_conv(192, (1, 1), "7x7_reduce"),
            *_conv(192, (1, 7), "1x7", padded=True),
            *_conv(192, (7, 1), "7x1", padded=True),
            *_conv(192, (3, 3), "7x7_3x3", stride=2),
        ),
        (max_pool(3, stride=2, name="pool"),),
    )


def _expanded(name: str) -> Branches:
    """Figure 7: the last convolutions 1 by 3 and 3 by 1 side by side."""
    return concatenated(
        f"mixed_{name}",
        _conv(320, (1, 1), "1x1"),
        (*_conv(384, (1, 1), "3x3_reduce"), _both("3x3")),
        (
            *_conv(448, (1, 1), "double_reduce"),
            *_conv(384, (3, 3), "double_3x3", padded=True),
            _both("double"),
        ),
        _pooled(192),
    )


def _both(name: str) -> Branches:
    return concatenated(
        name,
        _conv(384, (1, 3), "1x3", padded=True),
        _conv(384, (3, 1), "3x1", padded=True),
    )


def _pooled(depth: int) -> tuple[Part, ...]:
    pool = average_pool(3, stride=1, padding=1, count_include_pad=True, name="pool")
    return (pool, *_conv(depth, (1, 1), "pool_proj"))


def _conv(
    depth: int, kernel: tuple[int, int], name: str, *, stride: int = 1, padded: bool = False
) -> tuple[Part, ...]:
    padding = tuple(k // 2 for k in kernel) if padded else 0
    return (
        conv(depth, kernel, stride=stride, padding=padding, bias=False, name=name),
        batch_norm(epsilon=1e-3, name=f"{name}_bn"),
        relu(),
    )
