"""Plans: names, shapes, counts, receptive fields, and what does not fit."""

from __future__ import annotations

import pytest

from convspec.network import Network, parameter_shapes, plan, totals
from convspec.network.layers import Block as Group
from convspec.network.layers import (
    average_pool,
    batch_norm,
    concatenated,
    conv,
    conv_transpose,
    crop,
    depthwise_conv,
    depthwise_separable_conv,
    dropout,
    flatten,
    linear,
    locally_connected,
    max_pool,
    max_pool_with_indices,
    max_unpool,
    relu,
    residual,
    spatial_pyramid_pool,
    take,
    upsample,
)
from convspec.window import ReceptiveField, Window, field_through, joint_field, receptive_field


def last(*parts, input=(2, 8, 8)):
    return plan(Network("test", input, parts))[-1]


def test_names_are_those_given_or_the_operation_with_a_number():
    steps = plan(
        Network(
            "test",
            (1, 9),
            (
                conv(2, 3, name="first"),
                relu(),
                Group("block", (conv(2, 3), relu(), relu())),
                concatenated("both", (conv(1, 1),), (conv(1, 1), relu())),
                residual("again", (conv(2, 1, name="inside"),)),
                relu(),
            ),
        )
    )
    assert [step.name for step in steps] == [
        "input",
        "first",
        "relu",
        "block.conv",
        "block.relu",
        "block.relu_2",
        "both.conv",
        "both.conv_2",
        "both.relu",
        "both.concatenate",
        "again.inside",
        "again.add",
        "relu_2",
    ]
    by_name = {step.name: step for step in steps}
    assert by_name["both.conv"].reads == by_name["both.conv_2"].reads == ("block.relu_2",)
    assert by_name["both.concatenate"].reads == ("both.conv", "both.relu")
    assert by_name["again.add"].reads == ("again.inside", "both.concatenate")


# By hand, for an input of 2 channels of 8 by 8: output, parameters, biases, multiply-adds.
COUNTED = [
    (conv(6, 3), (1, 6, 6, 6), 6 * 2 * 9 + 6, 6, 6 * 36 * 2 * 9),
    (conv(6, 3, bias=False), (1, 6, 6, 6), 6 * 2 * 9, 0, 6 * 36 * 2 * 9),
    (conv(6, (1, 3), stride=2, padding=1, groups=2), (1, 6, 5, 4), 6 * 3 + 6, 6, 6 * 20 * 3),
    (conv_transpose(3, 4, stride=2, padding=1), (1, 3, 16, 16), 2 * 3 * 16 + 3, 3, 2 * 64 * 48),
    (depthwise_conv(3, multiplier=2), (1, 4, 6, 6), 4 * 9 + 4, 4, 4 * 36 * 9),
    (depthwise_separable_conv(5, 3), (1, 5, 6, 6), 2 * 9 + 5 * 2 + 5, 5, 36 * (2 * 9 + 5 * 2)),
    (locally_connected(3, (7, 6)), (1, 3, 2, 3), 3 * 2 * 6 * 42 + 3 * 6, 18, 3 * 6 * 2 * 42),
    (batch_norm(), (1, 2, 8, 8), 2 * 2, 0, 0),
    (average_pool(2), (1, 2, 4, 4), 0, 0, 0),
    (spatial_pyramid_pool((2, 1)), (1, 2 * 5), 0, 0, 0),
    (upsample(3), (1, 2, 24, 24), 0, 0, 0),
    (take((1,)), (1, 1, 8, 8), 0, 0, 0),
    (dropout(0.5), (1, 2, 8, 8), 0, 0, 0),
]


@pytest.mark.parametrize(
    ("layer", "shape", "parameters", "biases", "multiply_adds"),
    COUNTED,
    ids=[layer.operation for layer, *_ in COUNTED],
)
def test_one_layer_is_counted_by_hand(layer, shape, parameters, biases, multiply_adds):
    step = last(layer)
    assert step.shape == shape
    assert totals([step]) == (parameters, biases, multiply_adds)


def test_the_documents_dense_layers():
    """100 by 100 by 3 gives each unit of the first hidden layer 30000 weights."""
    step = last(flatten(), linear(1), input=(3, 100, 100))
    assert totals([step]) == (30001, 1, 30000)


def test_parameters_are_named_after_layer_and_operand():
    network = Network("test", (3, 8), (Group("a", (conv(4, 3, name="b"), batch_norm(name="c"))),))
    assert parameter_shapes(network) == {
        "a.b.weight": (4, 3, 3),
        "a.b.bias": (4,),
        "a.c.mean": (4,),
        "a.c.variance": (4,),
        "a.c.scale": (4,),
        "a.c.shift": (4,),
    }


def test_another_input_size_needs_no_other_network():
    network = Network("test", (1, 8, 8), (conv(2, 3), spatial_pyramid_pool((2, 1)), linear(3)))
    assert plan(network)[1].shape == (1, 2, 6, 6)
    assert plan(network, (1, 20, 9))[1].shape == (1, 2, 18, 7)
    assert plan(network, (1, 20, 9))[-1].parameters == plan(network)[-1].parameters


REFUSED = [
    ((conv(1, 3, name="wide"),), (1, 2), r"layer wide: kernel 3 .* spans 3 positions"),
    ((Group("stage", (max_pool(9, name="p"),)),), (1, 8, 8), r"layer stage\.p: kernel 9"),
    ((conv(3, 3, groups=2, name="g"),), (4, 8), r"layer g: groups=2"),
    ((linear(3, name="dense"),), (1, 8, 8), r"layer dense: input has shape \(1, 1, 8, 8\)"),
    (
        (concatenated("both", (conv(1, 3),), (conv(1, 1),)),),
        (1, 8),
        r"layer both\.concatenate: inputs have shapes \(1, 1, 6\) and \(1, 1, 8\)",
    ),
    ((residual("r", (conv(2, 1),)),), (1, 8), r"layer r\.add: inputs have shapes"),
    ((take((0, 2)),), (2, 8), r"layer take: channels=\(0, 2\): must be some of 0 to 1"),
    ((take((0, 0)),), (2, 8), r"layer take: .* once each"),
    ((crop("input", 1),), (2, 8), r"layer crop: offset=1"),
    ((max_unpool("nowhere"),), (2, 8), r"layer max_unpool: reads 'nowhere'"),
    ((max_pool(2, name="p"), max_unpool("p")), (2, 8), r"layer max_unpool: .* keeps no switches"),
    ((relu(name="a"), relu(name="a")), (2, 8), r"layer a: must be the only one of that name"),
    ((dropout(1.5, name="d"),), (2, 8), r"layer d: rate=1.5"),
]


@pytest.mark.parametrize(
    ("parts", "input", "message"), REFUSED, ids=[message for *_, message in REFUSED]
)
def test_what_does_not_fit_is_refused_by_the_layers_name(parts, input, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        plan(Network("test", input, parts))


def test_unpooling_restores_the_size_that_was_pooled():
    pool = max_pool_with_indices(2, name="p")
    assert last(pool, max_unpool("p"), input=(2, 7)).shape == (1, 2, 7)


STACK = [Window(5, 2, 2, 1), Window(3, 1, 1, 1, 2), Window(2, 2)]


def test_the_field_of_a_sequence_is_that_of_its_windows():
    parts = (
        conv(1, 5, stride=2, padding=((2, 1),)),
        relu(),
        conv(1, 3, padding=1, dilation=2),
        average_pool(2),
    )
    assert last(*parts, input=(1, 30)).fields == (receptive_field(STACK),)


def test_the_field_of_branches_is_their_union():
    """Kernel 5 with padding 2 sees -2 to 2, kernel 4 with padding (0, 3) sees 0 to 3."""
    parts = (concatenated("b", (conv(1, 5, padding=2),), (conv(1, 4, padding=((0, 3),)),)),)
    assert last(*parts, input=(1, 9)).fields == (ReceptiveField(6, 1, -2),)


def test_a_crop_moves_the_field():
    """From offset 2 on, behind a window of stride 3: the field starts 6 further."""
    parts = (conv(1, 2, stride=3, name="small"), conv(1, 1, padding=2), crop("small", 2))
    assert last(*parts, input=(1, 8)).fields == (ReceptiveField(2, 3, 0),)


@pytest.mark.parametrize(
    "parts",
    [
        (flatten(), linear(3)),
        (spatial_pyramid_pool((1,)),),
        (upsample(2), conv(1, 3)),
        (conv_transpose(1, 2),),
    ],
)
def test_there_is_no_field_where_there_is_no_sliding_window(parts):
    assert last(*parts).fields is None


def test_a_union_of_fields_needs_one_jump():
    with pytest.raises(ValueError, match=r"jumps \[1, 2\]"):
        joint_field([ReceptiveField(1, 1, 0), ReceptiveField(1, 2, 0)])


def test_one_window_at_a_time_is_the_formula_for_the_stack():
    field = ReceptiveField(1, 1, 0)
    for position, window in enumerate(STACK, start=1):
        field = field_through(field, window)
        assert field == receptive_field(STACK[:position])
