"""AlexNet, three ways: Krizhevsky, Sutskever and Hinton, ImageNet classification with deep
convolutional neural networks, NIPS 2012, and Krizhevsky, arXiv:1404.5997.

Sources disagree.

- The input.  The paper says 224 by 224; its first layer of 55 by 55, kernel 11, stride 4, without
  padding needs 227, as its authors' code had it.  The second paper's network takes 224 and pads
  by 2.
- The columns.  `alexnet` is the paper's: split over two GPUs, so that conv2, conv4 and conv5 have
  two groups.  `alexnet_ungrouped` is the same without the split.  `alexnet_single_column` is the
  network of the second paper, which is narrower, has no response normalization, and is what
  torchvision calls `alexnet`.
- The order.  The paper normalizes, then pools.  Caffe's reference network pools first; that
  changes no count.
- The paper's alpha multiplies the sum of squares; the operation's is divided by the window's
  size, hence 5e-4 for 1e-4.
"""

from __future__ import annotations

from convspec.network.layers import (
    Network,
    Part,
    conv,
    dropout,
    flatten,
    linear,
    local_response_normalization,
    max_pool,
    relu,
    softmax,
)


def alexnet() -> Network:
    """The paper's network, its two columns as groups."""
    return Network("alexnet", (3, 227, 227), (*_features(groups=2), *_classifier()))


def alexnet_ungrouped() -> Network:
    """The paper's widths in one column that reads all channels everywhere."""
    return Network("alexnet-ungrouped", (3, 227, 227), (*_features(groups=1), *_classifier()))


def alexnet_single_column() -> Network:
    """The network of the second paper, as torchvision has it."""
    parts: tuple[Part, ...] = (
        conv(64, 11, stride=4, padding=2, name="conv1"),
        relu(),
        max_pool(3, stride=2, name="pool1"),
        conv(192, 5, padding=2, name="conv2"),
        relu(),
        max_pool(3, stride=2, name="pool2"),
        conv(384, 3, padding=1, name="conv3"),
        relu(),
        conv(256, 3, padding=1, name="conv4"),
        relu(),
        conv(256, 3, padding=1, name="conv5"),
        relu(),
        max_pool(3, stride=2, name="pool5"),
    )
    return Network("alexnet-single-column", (3, 224, 224), (*parts, *_classifier()))


def _features(groups: int) -> tuple[Part, ...]:
    return (
        conv(96, 11, stride=4, name="conv1"),
        relu(),
        _normalization("norm1"),
        max_pool(3, stride=2, name="pool1"),
        conv(256, 5, padding=2, groups=groups, name="conv2"),
        relu(),
        _normalization("norm2"),
        max_pool(3, stride=2, name="pool2"),
        conv(384, 3, padding=1, name="conv3"),
        relu(),
        conv(384, 3, padding=1, groups=groups, name="conv4"),
        relu(),
        conv(256, 3, padding=1, groups=groups, name="conv5"),
        relu(),
        max_pool(3, stride=2, name="pool5"),
    )


def _normalization(name: str) -> Part:
    return local_response_normalization(size=5, alpha=5e-4, beta=0.75, k=2, name=name)


def _classifier() -> tuple[Part, ...]:
    return (
        flatten(),
        dropout(0.5),
        linear(4096, name="fc6"),
        relu(),
        dropout(0.5),
        linear(4096, name="fc7"),
        relu(),
        linear(1000, name="fc8"),
        softmax(),
    )
