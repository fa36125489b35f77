"""Inputs optimised to excite a filter."""

from __future__ import annotations

import numpy
import pytest

from convspec.network import Network, initial
from convspec.network.excitation import excitation, excite, until
from convspec.network.layers import conv, max_pool, relu

NETWORK = Network("n", (1, 6, 6), (conv(3, 3, name="a"), relu(), max_pool(2), conv(2, 2, name="b")))


def test_an_edge_filter_is_excited_by_an_edge():
    """Of images from 0 to 1 the best for the kernel (-1, 1) on two pixels is 0, 1."""
    network = Network("edge", (1, 1, 2), (conv(1, (1, 2), bias=False, name="edge"),))
    parameters = {"edge.weight": numpy.array([[[[-1.0, 1.0]]]])}
    found = excite(network, parameters, 0)
    numpy.testing.assert_array_equal(found, [[[[0, 1]]]])
    assert excitation(network, parameters, found, 0) == 1


@pytest.mark.parametrize("channel", [0, 1])
def test_it_excites_more_than_any_of_a_thousand_random_images(channel):
    parameters = initial(NETWORK, numpy.random.default_rng(0), "float64")
    best = excite(NETWORK, parameters, channel)
    assert best.min() >= 0
    assert best.max() <= 1
    others = numpy.random.default_rng(1).random((1000, 1, 6, 6))
    reached = [excitation(NETWORK, parameters, other[None], channel) for other in others]
    assert excitation(NETWORK, parameters, best, channel) > max(reached)


def test_what_nothing_excites_stays_as_it_is():
    parameters = {
        name: 0 * value for name, value in initial(NETWORK, numpy.random.default_rng(0)).items()
    }
    start = numpy.random.default_rng(3).uniform(0.4, 0.6, (1, 1, 6, 6))
    numpy.testing.assert_array_equal(excite(NETWORK, parameters, 0, seed=3), start)


def test_a_layer_or_channel_that_is_none_is_refused():
    assert until(NETWORK, "a").parts == NETWORK.parts[:1]
    with pytest.raises(ValueError, match="name='c': must be one of a, b"):
        until(NETWORK, "c")
    parameters = initial(NETWORK, numpy.random.default_rng(0))
    with pytest.raises(ValueError, match="channel=2: must be from 0 to 1"):
        excite(NETWORK, parameters, 2)
