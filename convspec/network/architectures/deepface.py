"""DeepFace: Taigman, Yang, Ranzato and Wolf, CVPR 2014: layers whose weights are not shared, since
an aligned face has an eye here and a mouth there.

The documents give kernels and depths, and not the stride of 2 of L5, without which its output would
be 49 by 49 and not the paper's 25 by 25.  The paper's pool of 142 positions by 3 with stride 2
gives 71, which is rounding up.  The paper speaks of more than 120 million parameters;
its own layers have 118923774.
"""

from __future__ import annotations

from convspec.network.layers import (
    Network,
    Part,
    conv,
    dropout,
    flatten,
    linear,
    locally_connected,
    max_pool,
    relu,
    softmax,
)


def deepface() -> Network:
    """152 by 152 aligned faces of 4030 people."""
    parts: tuple[Part, ...] = (
        conv(32, 11, name="C1"),
        relu(),
        max_pool(3, stride=2, ceil_mode=True, name="M2"),
        conv(16, 9, name="C3"),
        relu(),
        locally_connected(16, 9, name="L4"),
        relu(),
        locally_connected(16, 7, stride=2, name="L5"),
        relu(),
        locally_connected(16, 5, name="L6"),
        relu(),
        flatten(),
        linear(4096, name="F7"),
        relu(),
        dropout(0.5),
        linear(4030, name="F8"),
        softmax(),
    )
    return Network("deepface", (3, 152, 152), parts)
