"""The deconvolution network on VGG-16: Noh, Hong and Han, arXiv:1505.04366, Table 1.

The documents' second way to deconvolve: the places of the maxima are recorded, the same places are
filled when the image is widened, and convolutions fill the rest.  Convolutions and transposed ones
are followed by batch normalization and relu.  The documents say 16 layers of deconvolution; the
paper's table has 14, the first of which turns one position into 7 by 7.
"""

from __future__ import annotations

from convspec.network.layers import (
    Network,
    Part,
    batch_norm,
    conv,
    conv_transpose,
    max_pool_with_indices,
    max_unpool,
    relu,
)

ENCODER = ((64, 64), (128, 128), (256,) * 3, (512,) * 3, (512,) * 3)
DECODER = {5: (512, 512, 512), 4: (512, 512, 256), 3: (256, 256, 128), 2: (128, 64), 1: (64, 64)}


def deconvnet() -> Network:
    """224 by 224 images to scores of 21 classes of the same size."""
    parts: list[Part] = []
    for stage, depths in enumerate(ENCODER, start=1):
        for number, depth in enumerate(depths, start=1):
            parts += _normalized(conv(depth, 3, padding=1, name=f"conv{stage}-{number}"))
        parts.append(max_pool_with_indices(2, name=f"pool{stage}"))
    parts += [
        *_normalized(conv(4096, 7, name="fc6")),
        *_normalized(conv(4096, 1, name="fc7")),
        *_normalized(conv_transpose(512, 7, name="deconv-fc6")),
    ]
    for stage, depths in DECODER.items():
        parts.append(max_unpool(f"pool{stage}", name=f"unpool{stage}"))
        for number, depth in enumerate(depths, start=1):
            name = f"deconv{stage}-{number}"
            parts += _normalized(conv_transpose(depth, 3, padding=1, name=name))
    parts.append(conv(21, 1, name="output"))
    return Network("deconvnet", (3, 224, 224), tuple(parts))


def _normalized(layer: Part) -> tuple[Part, ...]:
    return (layer, batch_norm(name=f"{layer.name}_bn"), relu())
