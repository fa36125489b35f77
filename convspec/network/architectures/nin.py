"""Network in network: Lin, Chen and Yan, arXiv:1312.4400.

Behind every convolution come two of size 1, a small perceptron at every position: what the paper
calls cascaded cross channel pooling.  Instead of dense layers, the last maps are averaged.  The
paper draws the network and leaves the widths to its authors' Caffe definitions: those are here.
"""

from __future__ import annotations

from convspec.network.layers import (
    Network,
    Part,
    average_pool,
    conv,
    dropout,
    flatten,
    global_average_pool,
    max_pool,
    relu,
    softmax,
)


def nin_cifar10() -> Network:
    """The network for CIFAR-10."""
    parts: tuple[Part, ...] = (
        *_mlpconv(1, 192, 5, (160, 96), padding=2),
        max_pool(3, stride=2, ceil_mode=True, name="pool1"),
        dropout(0.5),
        *_mlpconv(2, 192, 5, (192, 192), padding=2),
        average_pool(3, stride=2, ceil_mode=True, name="pool2"),
        dropout(0.5),
        *_mlpconv(3, 192, 3, (192, 10), padding=1),
        *_head(),
    )
    return Network("nin-cifar10", (3, 32, 32), parts)


def nin_imagenet() -> Network:
    """The network for ImageNet."""
    parts: tuple[Part, ...] = (
        *_mlpconv(1, 96, 11, (96, 96), stride=4),
        max_pool(3, stride=2, ceil_mode=True, name="pool1"),
        *_mlpconv(2, 256, 5, (256, 256), padding=2),
        max_pool(3, stride=2, ceil_mode=True, name="pool2"),
        *_mlpconv(3, 384, 3, (384, 384), padding=1),
        max_pool(3, stride=2, ceil_mode=True, name="pool3"),
        dropout(0.5),
        *_mlpconv(4, 1024, 3, (1024, 1000), padding=1),
        *_head(),
    )
    return Network("nin-imagenet", (3, 224, 224), parts)


def _mlpconv(
    number: int,
    depth: int,
    kernel: int,
    then: tuple[int, int],
    *,
    stride: int = 1,
    padding: int = 0,
) -> tuple[Part, ...]:
    return (
        conv(depth, kernel, stride=stride, padding=padding, name=f"conv{number}"),
        relu(),
        conv(then[0], 1, name=f"cccp{number}_1"),
        relu(),
        conv(then[1], 1, name=f"cccp{number}_2"),
        relu(),
    )


def _head() -> tuple[Part, ...]:
    return (global_average_pool(name="average"), flatten(), softmax())
