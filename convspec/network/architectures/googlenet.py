"""GoogLeNet, of Inception modules of the first kind: Szegedy and others, arXiv:1409.4842, Table 1.

Each module runs convolutions of size 1, 3 and 5 and a pool side by side and stacks the results in
depth; convolutions of size 1 in front of the larger ones, and behind the pool, keep it narrow.

Without the two auxiliary classifiers, which serve training only.  Sources disagree.

- The paper's Table 1 gives 2.7K parameters for the first layer; 7 * 7 * 3 * 64 is 9408.
- torchvision's network is another one: batch normalization in place of biases, and 3 by 3 kernels
  in place of the 5 by 5 ones.
- The documents say a twelfth of AlexNet's parameters, as the paper does; 6998552 are an eighth or
  ninth of 60965224.
"""

from __future__ import annotations

from typing import NamedTuple

from convspec.network.layers import (
    Branches,
    Network,
    Part,
    concatenated,
    conv,
    dropout,
    flatten,
    global_average_pool,
    linear,
    local_response_normalization,
    max_pool,
    relu,
    softmax,
)


class Inception(NamedTuple):
    """Depths of a module, in the order of the paper's table."""

    ones: int
    threes_reduced: int
    threes: int
    fives_reduced: int
    fives: int
    pooled: int


MODULES = {
    "3a": Inception(64, 96, 128, 16, 32, 32),
    "3b": Inception(128, 128, 192, 32, 96, 64),
    "4a": Inception(192, 96, 208, 16, 48, 64),
    "4b": Inception(160, 112, 224, 24, 64, 64),
    "4c": Inception(128, 128, 256, 24, 64, 64),
    "4d": Inception(112, 144, 288, 32, 64, 64),
    "4e": Inception(256, 160, 320, 32, 128, 128),
    "5a": Inception(256, 160, 320, 32, 128, 128),
    "5b": Inception(384, 192, 384, 48, 128, 128),
}


def googlenet() -> Network:
    """The network on 224 by 224 images."""
    parts: list[Part] = [
        *_conv(64, 7, "conv1", stride=2),
        max_pool(3, stride=2, ceil_mode=True, name="pool1"),
        _normalization("norm1"),
        *_conv(64, 1, "conv2_reduce"),
        *_conv(192, 3, "conv2"),
        _normalization("norm2"),
        max_pool(3, stride=2, ceil_mode=True, name="pool2"),
    ]
    for name, depths in MODULES.items():
        parts.append(inception(name, depths))
        if name in ("3b", "4e"):
            parts.append(max_pool(3, stride=2, ceil_mode=True, name=f"pool{name[0]}"))
    parts += [
        global_average_pool(name="average"),
        flatten(),
        dropout(0.4),
        linear(1000, name="classifier"),
        softmax(),
    ]
    return Network("googlenet", (3, 224, 224), tuple(parts))


def inception(name: str, depths: Inception) -> Branches:
    """The module with dimension reductions, Figure 2(b)."""
    return concatenated(
        f"inception_{name}",
        _conv(depths.ones, 1, "1x1"),
        (*_conv(depths.threes_reduced, 1, "3x3_reduce"), *_conv(depths.threes, 3, "3x3")),
        (*_conv(depths.fives_reduced, 1, "5x5_reduce"), *_conv(depths.fives, 5, "5x5")),
        (max_pool(3, stride=1, padding=1, name="pool"), *_conv(depths.pooled, 1, "pool_proj")),
    )


def naive_inception(name: str, depths: Inception) -> Branches:
    """The module without reductions, Figure 2(a)."""
    return concatenated(
        f"inception_{name}",
        _conv(depths.ones, 1, "1x1"),
        _conv(depths.threes, 3, "3x3"),
        _conv(depths.fives, 5, "5x5"),
        (max_pool(3, stride=1, padding=1, name="pool"),),
    )


def _conv(depth: int, kernel: int, name: str, *, stride: int = 1) -> tuple[Part, ...]:
    return (conv(depth, kernel, stride=stride, padding=kernel // 2, name=name), relu())


def _normalization(name: str) -> Part:
    return local_response_normalization(size=5, alpha=1e-4, beta=0.75, k=1, name=name)
