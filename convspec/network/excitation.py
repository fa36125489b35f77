r"""What a filter looks for: an input optimised to excite it.

$$ x \leftarrow \operatorname{clip}_{[0, 1]} \Bigl(x + \eta\, \frac{g}{\lVert g \rVert}\Bigr),
   \qquad g = \frac{\partial}{\partial x} \operatorname{mean}_i y_{c,i}(x) $$

The documents: where the optimised image is full of edges, the filter looks for edges.
"""

from __future__ import annotations

import numpy

from convspec.arguments import Array
from convspec.network.layers import Layer, Network
from convspec.network.plan import plan
from convspec.network.run import Arrays, activations, backward, forward


def until(network: Network, name: str) -> Network:
    """The network up to a layer of that name, which must not lie inside a block or branches.

    >>> from convspec.network.layers import conv, relu
    >>> network = Network("example", (1, 5), (conv(1, 3, name="first"), relu(), relu()))
    >>> len(until(network, "first").parts)
    1
    """
    names = [part.name if isinstance(part, Layer) else "" for part in network.parts]
    if not name or name not in names:
        raise ValueError(f"name={name!r}: must be one of {', '.join(filter(None, names))}")
    return network._replace(parts=network.parts[: names.index(name) + 1])


def excitation(network: Network, parameters: Arrays, input: Array, channel: int) -> float:
    """The mean of a channel of the network's output."""
    return float(forward(network, parameters, input)[:, channel].mean())


def excite(
    network: Network,
    parameters: Arrays,
    channel: int,
    *,
    steps: int = 50,
    rate: float = 0.5,
    seed: int = 0,
) -> Array:
    """An input from 0 to 1 that a channel of the network's output answers to: the best of those
    that gradient ascent meets, from a random one near a half.
    """
    shape = plan(network)[-1].shape
    if not 0 <= channel < shape[1]:
        raise ValueError(f"channel={channel}: must be from 0 to {shape[1] - 1}")
    cotangent = numpy.zeros(shape)
    cotangent[:, channel] = 1 / cotangent[:, channel].size
    x = numpy.random.default_rng(seed).uniform(0.4, 0.6, (1, *network.input))
    best, found = x, excitation(network, parameters, x, channel)
    for _ in range(steps):
        values = activations(network, parameters, x)
        slope = backward(network, parameters, values, cotangent)["input"]
        length = numpy.sqrt((slope**2).sum())
        if length == 0:
            break
        x = numpy.clip(x + rate * slope / length, 0, 1)
        reached = excitation(network, parameters, x, channel)
        if reached > found:
            best, found = x, reached
    return best
