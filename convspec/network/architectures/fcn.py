"""FCN-32s, FCN-16s and FCN-8s on VGG-16: Shelhamer, Long and Darrell, arXiv:1605.06211, and the
Caffe definitions of the authors, whose offsets and padding are here.

The dense layers become convolutions; the scores are enlarged by transposed convolutions, whose
weights the authors start as bilinear and then keep fixed, except those inside FCN-16s and FCN-8s;
here they are parameters like any other.  Padding 100 on the first layer keeps small images from
vanishing; the final crop takes off what it adds, so that the output is as large as the input.
What the documents say is a 32nd of the image's size is `score_fr`, before it is enlarged.
"""

from __future__ import annotations

from convspec.network.architectures.vgg import DEPTHS, stage
from convspec.network.layers import (
    Branches,
    Network,
    Part,
    conv,
    conv_transpose,
    crop,
    dropout,
    max_pool,
    relu,
)

CLASSES = 21
INPUT = (3, 500, 500)


def fcn32s() -> Network:
    """The scores of the last layer, enlarged 32 times."""
    parts = (*_through(1, 5), *_scores(), *_enlarged(32, 19))
    return Network("fcn-32s", INPUT, parts)


def fcn16s() -> Network:
    """With the scores of pool4 added, enlarged 16 times."""
    return Network("fcn-16s", INPUT, (*_through(1, 4), _fused_pool4(), *_enlarged(16, 27)))


def fcn8s() -> Network:
    """With the scores of pool4 and pool3 added, enlarged 8 times."""
    inner: tuple[Part, ...] = (
        *_through(4, 4),
        _fused_pool4("fuse_pool3."),
        _doubled("upscore_pool4"),
    )
    fused = _fused("fuse_pool3", inner, "pool3", "fuse_pool3.upscore_pool4", 9)
    return Network("fcn-8s", INPUT, (*_through(1, 3), fused, *_enlarged(8, 31)))


def _fused_pool4(scope: str = "") -> Branches:
    inner = (*_through(5, 5), *_scores(), _doubled("upscore2"))
    return _fused("fuse_pool4", inner, "pool4", f"{scope}fuse_pool4.upscore2", 5)


def _fused(name: str, inner: tuple[Part, ...], pool: str, enlarged: str, offset: int) -> Branches:
    """The enlarged scores of the layers behind a pool, and the pool's own, cut to their size."""
    own = (conv(CLASSES, 1, name=f"score_{pool}"), crop(enlarged, offset, name=f"crop_{pool}"))
    return Branches(name, (inner, own), "add")


def _through(first: int, last: int) -> tuple[Part, ...]:
    """Stages of VGG-16 with their pools, which round up as Caffe's do."""
    parts: list[Part] = []
    for number in range(first, last + 1):
        convolutions = 2 if number < 3 else 3
        padding = 100 if number == 1 else 1
        parts += stage(number, DEPTHS[number - 1], convolutions, padding)
        parts.append(max_pool(2, ceil_mode=True, name=f"pool{number}"))
    return tuple(parts)


def _scores() -> tuple[Part, ...]:
    return (
        conv(4096, 7, name="fc6"),
        relu(name="relu6"),
        dropout(0.5, name="drop6"),
        conv(4096, 1, name="fc7"),
        relu(name="relu7"),
        dropout(0.5, name="drop7"),
        conv(CLASSES, 1, name="score_fr"),
    )


def _doubled(name: str) -> Part:
    return conv_transpose(CLASSES, 4, stride=2, bias=False, name=name)


def _enlarged(factor: int, offset: int) -> tuple[Part, ...]:
    name = "upscore" if factor == 32 else f"upscore{factor}"
    return (
        conv_transpose(CLASSES, 2 * factor, stride=factor, bias=False, name=name),
        crop("input", offset, name="score"),
    )
