"""LeNet-5: LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to document
recognition, Proceedings of the IEEE 86 (11), 1998, section II.B.

A subsampling layer averages 2 by 2 elements, then multiplies each map by a learnt coefficient and
adds a learnt bias, before a sigmoid: here an average pool and a depthwise convolution of size 1.
(The paper's sum of four against our average is a factor that the coefficient absorbs.)

Map by map, C3 reads only some maps of S2 (Table I): here one branch for each of its 16 maps.

The paper's squashing function is A tanh(S a) with A = 1.7159 and S = 2/3; here a plain tanh, as A
and S can be absorbed by the weights on both sides.  Its last layer, ten Euclidean radial basis
functions with fixed codes, has nothing to learn and no operation of the spec computes it: the
network ends with F6.  Later accounts that put a dense layer there, and connect C3 fully, describe
another network.
"""

from __future__ import annotations

from convspec.network.layers import (
    Network,
    Part,
    average_pool,
    concatenated,
    conv,
    depthwise_conv,
    flatten,
    linear,
    take,
    tanh,
)

# The maps of S2 that each map of C3 reads: three neighbours, four neighbours, two pairs, all.
CONNECTIONS = (
    *(tuple(sorted((first + i) % 6 for i in range(3))) for first in range(6)),
    *(tuple(sorted((first + i) % 6 for i in range(4))) for first in range(6)),
    *(tuple(sorted((first + i) % 6 for i in (0, 1, 3, 4))) for first in range(3)),
    tuple(range(6)),
)


def lenet5() -> Network:
    """The network on 32 by 32 images of digits."""
    third = (
        (take(maps, name=f"maps{number}"), conv(1, 5, name=f"map{number}"))
        for number, maps in enumerate(CONNECTIONS)
    )
    parts: tuple[Part, ...] = (
        conv(6, 5, name="C1"),
        tanh(),
        *_subsampling("S2"),
        concatenated("C3", *third),
        tanh(),
        *_subsampling("S4"),
        conv(120, 5, name="C5"),
        tanh(),
        flatten(),
        linear(84, name="F6"),
        tanh(),
    )
    return Network("lenet5", (1, 32, 32), parts)


def _subsampling(name: str) -> tuple[Part, ...]:
    return (average_pool(2, name=f"{name}_average"), depthwise_conv(1, name=name), tanh())
