"""ResNet: He, Zhang, Ren and Sun, arXiv:1512.03385, Table 1; shortcuts of kind B, that is, with a
convolution of size 1 where the shape changes.

Convolutions have no bias: the batch normalization behind each has a shift.  Sources disagree about
the first block of stages 3 to 5: the paper, and its authors' Caffe networks, put the stride of 2 on
the first convolution of size 1, torchvision (`resnet50_v1_5` here) on the 3 by 3 one.  The
parameters are as many, the multiply-adds are not.
"""

from __future__ import annotations

from collections.abc import Callable

from convspec.network.layers import (
    Branches,
    Network,
    Part,
    batch_norm,
    conv,
    flatten,
    global_average_pool,
    linear,
    max_pool,
    relu,
    residual,
    softmax,
)

Unit = Callable[[str, int, int, bool], Branches]


def resnet18() -> Network:
    """Basic blocks, 2 a stage."""
    return Network("resnet18", (3, 224, 224), _layers(basic, (2, 2, 2, 2), widening=1))


def resnet34() -> Network:
    """Basic blocks, 3 to 6 a stage."""
    return Network("resnet34", (3, 224, 224), _layers(basic, (3, 4, 6, 3), widening=1))


def resnet50() -> Network:
    """Bottlenecks, the stride on their first convolution."""
    return Network("resnet50", (3, 224, 224), _layers(bottleneck, (3, 4, 6, 3), widening=4))


def resnet50_v1_5() -> Network:
    """Bottlenecks, the stride on their second convolution."""
    layers = _layers(late_bottleneck, (3, 4, 6, 3), widening=4)
    return Network("resnet50-v1.5", (3, 224, 224), layers)


def basic(name: str, depth: int, stride: int, projected: bool) -> Branches:  # noqa: FBT001
    """Two convolutions 3 by 3."""
    parts = (
        *_conv(depth, 3, 1, stride=stride),
        relu(),
        *_conv(depth, 3, 2),
    )
    return residual(name, parts, _projection(depth, stride) if projected else ())


def bottleneck(name: str, depth: int, stride: int, projected: bool) -> Branches:  # noqa: FBT001
    """A convolution 3 by 3 between two of size 1, the last of which widens four times."""
    return _bottleneck(name, depth, (stride, 1), projected=projected)


def late_bottleneck(name: str, depth: int, stride: int, projected: bool) -> Branches:  # noqa: FBT001
    """A bottleneck that strides in its middle."""
    return _bottleneck(name, depth, (1, stride), projected=projected)


def _bottleneck(name: str, depth: int, strides: tuple[int, int], *, projected: bool) -> Branches:
    parts = (
        *_conv(depth, 1, 1, stride=strides[0]),
        relu(),
        *_conv(depth, 3, 2, stride=strides[1]),
        relu(),
        *_conv(4 * depth, 1, 3),
    )
    return residual(name, parts, _projection(4 * depth, max(strides)) if projected else ())


def _layers(unit: Unit, counts: tuple[int, ...], *, widening: int) -> tuple[Part, ...]:
    parts: list[Part] = [
        conv(64, 7, stride=2, padding=3, bias=False, name="conv1"),
        batch_norm(name="bn1"),
        relu(),
        max_pool(3, stride=2, padding=1, name="pool1"),
    ]
    inputs = 64
    for stage, count in enumerate(counts, start=2):
        depth = 64 * 2 ** (stage - 2)
        for position in range(1, count + 1):
            stride = 2 if position == 1 and stage > 2 else 1
            projected = stride > 1 or inputs != widening * depth
            parts += [unit(f"conv{stage}_{position}", depth, stride, projected), relu()]
            inputs = widening * depth
    parts += [global_average_pool(name="average"), flatten(), linear(1000, name="fc"), softmax()]
    return tuple(parts)


def _conv(depth: int, kernel: int, number: int, *, stride: int = 1) -> tuple[Part, ...]:
    return (
        conv(depth, kernel, stride=stride, padding=kernel // 2, bias=False, name=f"conv{number}"),
        batch_norm(name=f"bn{number}"),
    )


def _projection(depth: int, stride: int) -> tuple[Part, ...]:
    return (
        conv(depth, 1, stride=stride, bias=False, name="projection"),
        batch_norm(name="projection_bn"),
    )
