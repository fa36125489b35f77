"""Statements about whole architectures, against the networks of `convspec.network`."""

from __future__ import annotations

from convspec.network import plan, totals
from convspec.network.architectures.alexnet import alexnet
from convspec.network.architectures.deconvnet import deconvnet
from convspec.network.architectures.googlenet import MODULES, googlenet
from convspec.network.architectures.resnet import resnet50


def test_googlenet_has_an_eighth_to_a_ninth_of_alexnets_parameters() -> None:
    small, large = totals(plan(googlenet())).parameters, totals(plan(alexnet())).parameters
    assert (small, large) == (6_998_552, 60_965_224)
    assert round(large / small, 2) == 8.71


def test_googlenet_has_22_layers_with_weights_and_alexnet_8() -> None:
    """On the way through a module, one of its reductions and the convolution behind it: two."""
    weighted = [step.name for step in plan(googlenet()) if "weight" in step.parameters]
    outside = [name for name in weighted if "inception" not in name]
    assert len(outside) + 2 * len(MODULES) == 22
    assert sum("weight" in step.parameters for step in plan(alexnet())) == 8


def test_resnet_50_has_25557032_parameters_layer_by_layer() -> None:
    assert totals(plan(resnet50())).parameters == 25_557_032


def channels() -> list[int]:
    return [step.shape[1] for step in plan(alexnet()) if step.operation == "conv"]


def test_alexnets_channels_do_not_grow_at_every_layer() -> None:
    assert channels() == [96, 256, 384, 384, 256]


def test_they_grow_from_the_image_to_the_last_map() -> None:
    assert 3 < channels()[0] < channels()[-1]


def test_resnet_has_two_pools_and_strides_instead() -> None:
    names = [step.operation for step in plan(resnet50())]
    assert [name for name in names if "pool" in name] == ["max_pool", "adaptive_average_pool"]


def test_the_deconvolution_network_has_14_transposed_convolutions() -> None:
    assert sum(step.operation == "conv_transpose" for step in plan(deconvnet())) == 14
