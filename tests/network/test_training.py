"""Training: descent by hand, and that what it learns is what its cost asks for."""

from __future__ import annotations

import numpy
import pytest
import scipy.signal

import convspec
from convspec import fast
from convspec.network import Network, forward, initial
from convspec.network.layers import batch_norm, conv, dropout, flatten, linear, max_pool, relu
from convspec.network.training import (
    Examples,
    Settings,
    accuracy,
    cost_gradients,
    descend,
    dropout_masks,
    predictions,
    shifted,
    train,
    vote,
)
from convspec.network.true_convolution import flipped, true_convolution
from tests.precise import differenced, precisely

SMALL = Network(
    "small",
    (1, 4, 4),
    (
        conv(3, 3, padding=1, name="conv"),
        relu(),
        max_pool(2),
        flatten(),
        dropout(0.25, name="drop"),
        linear(2, name="scores"),
    ),
)


def bars(count, seed=0):
    """Images of noise with a bright row (class 0) or column (class 1)."""
    generator = numpy.random.default_rng(seed)
    images = generator.uniform(0, 0.3, (count, 1, 4, 4))
    labels = generator.integers(0, 2, count)
    for image, label, place in zip(images, labels, generator.integers(0, 4, count), strict=True):
        image[0][(place, slice(None)) if label == 0 else (slice(None), place)] = 1
    return Examples(images.astype(numpy.float32), labels)


def test_descent_by_hand():
    """Two steps: v = -0.5 * 3 = -1.5, w = 2.5; v = 0.5 * -1.5 - 0.25 * 4 = -1.75, w = 0.75."""
    w, v = {"a.bias": numpy.array([4.0])}, {"a.bias": numpy.array([0.0])}
    settings = Settings(epochs=1, batch=1, rate=1, momentum=0.5, decay=10)
    descend(w, v, {"a.bias": numpy.array([3.0])}, settings, rate=0.5)
    assert w["a.bias"] == 2.5  # a bias does not decay
    descend(w, v, {"a.bias": numpy.array([4.0])}, settings, rate=0.25)
    assert v["a.bias"] == -1.75
    assert w["a.bias"] == 0.75


def test_weights_decay_towards_zero():
    """Without a slope: w = 4 - 0.5 * 0.25 * 4."""
    w, v = {"a.weight": numpy.array([4.0])}, {"a.weight": numpy.array([0.0])}
    settings = Settings(epochs=1, batch=1, rate=1, decay=0.25)
    descend(w, v, {"a.weight": numpy.array([0.0])}, settings, rate=0.5)
    assert w["a.weight"] == 3.5


def test_statistics_are_not_learned():
    network = Network("n", (2,), (linear(2, name="a"), batch_norm(name="n")))
    examples = Examples(numpy.ones((4, 2)), numpy.array([0, 1, 1, 1]))
    learned = train(network, examples, Settings(2, 2, 0.5), seed=0).parameters
    assert learned["n.mean"].tolist() == [0, 0]
    assert learned["n.variance"].tolist() == [1, 1]
    assert learned["n.shift"].any()


def test_the_gradient_of_the_cost_is_its_difference_quotient():
    """Central differences of numbers of 60 digits, by the definitions; `tests/precise.py` has their
    bound.
    """
    generator = numpy.random.default_rng(0)
    started = initial(SMALL, generator, "float64")
    parameters = {name: precisely(value) for name, value in started.items()}
    images, labels = bars(3)
    batch = Examples(precisely(images.astype(float)), labels)
    masks = dropout_masks(SMALL, 3, generator)
    _, gradients = cost_gradients(SMALL, parameters, batch, masks, operations=convspec)
    for name, value in parameters.items():
        direction = precisely(generator.standard_normal(value.shape))

        def cost(step, name=name, direction=direction):
            moved = {**parameters, name: parameters[name] + step * direction}
            scores = forward(SMALL, moved, batch.images, operations=convspec, masks=masks)
            return convspec.cross_entropy(scores, labels).item()

        quotient, bound = differenced(cost)
        assert bound < 1e-25
        assert abs(quotient - (gradients[name] * direction).sum()) <= bound, name
        assert quotient != 0


def test_masks_drop_with_the_layers_rate():
    """Of 8000 elements a quarter, within five standard deviations."""
    (mask,) = dropout_masks(SMALL, 667, numpy.random.default_rng(0)).values()
    assert mask.shape == (667, 12)
    assert set(numpy.unique(mask)) == {0, 1}
    assert abs((mask == 0).mean() - 0.25) < 5 * numpy.sqrt(0.25 * 0.75 / mask.size)


def test_rates_fall_in_steps():
    found = []
    settings = Settings(epochs=5, batch=8, rate=0.5, factor=0.5, every=2)
    result = train(SMALL, bars(8), settings, seed=0, report=lambda e, _: found.append(e))
    assert [epoch.rate for epoch in result.epochs] == [0.5, 0.5, 0.25, 0.25, 0.125]
    assert [epoch.number for epoch in found] == [1, 2, 3, 4, 5]
    assert tuple(found) == result.epochs


def test_the_same_seed_trains_the_same_network_and_another_one_another():
    settings = Settings(epochs=2, batch=8, rate=0.1, momentum=0.9)
    first, again, other = (train(SMALL, bars(20), settings, seed=s).parameters for s in (0, 0, 1))
    assert all((first[name] == again[name]).all() for name in first)
    assert not (first["conv.weight"] == other["conv.weight"]).any()


def test_it_learns_rows_from_columns():
    """Unseen images too, all of them; a network that has not been trained guesses."""
    settings = Settings(epochs=15, batch=10, rate=0.1, momentum=0.9, factor=0.5, every=5)
    result = train(SMALL, bars(200), settings, seed=0)
    held = bars(200, seed=1)
    assert accuracy(predictions(SMALL, result.parameters, held.images), held.labels) > 0.97
    assert result.epochs[-1].cost < result.epochs[0].cost / 2


def test_shifts_move_by_one_pixel_and_lose_what_leaves():
    image = numpy.arange(1.0, 5.0).reshape(1, 1, 2, 2)
    moved = shifted(Examples(image, numpy.array([3])))
    assert moved.images[:, 0].tolist() == [
        [[1, 2], [3, 4]],
        [[0, 0], [1, 2]],
        [[3, 4], [0, 0]],
        [[0, 1], [0, 3]],
        [[2, 0], [4, 0]],
    ]
    assert moved.labels.tolist() == [3] * 5
    assert image.tolist() == [[[[1, 2], [3, 4]]]]


def test_a_vote_is_what_most_say():
    ballots = [[4, 0, 1], [4, 1, 2], [3, 1, 0]]
    assert vote([numpy.array(one) for one in ballots]).tolist() == [4, 1, 0]


@pytest.mark.parametrize("flips", [False, True])
def test_training_with_true_convolution_learns_the_flipped_kernels(flips):
    """Operations whose `conv` flips, from flipped kernels, on the same batches: they learn the
    flips of what the others learn, and classify alike, to the last bit, since they multiply and
    add the same numbers in the same order.  From the same kernels it is another descent.
    """
    true = true_convolution(fast)
    settings = Settings(epochs=2, batch=8, rate=0.1, momentum=0.9)
    examples, started = bars(40), initial(SMALL, numpy.random.default_rng(1))
    learned = train(SMALL, examples, settings, seed=2, start=started).parameters
    if flips:
        started["conv.weight"] = flipped(started["conv.weight"])
    other = train(SMALL, examples, settings, seed=2, start=started, operations=true).parameters
    assert not (learned["conv.weight"] == other["conv.weight"]).all()
    back = {**other, "conv.weight": flipped(other["conv.weight"])}
    assert all((learned[name] == back[name]).all() for name in learned) == flips
    if flips:
        ours = forward(SMALL, learned, examples.images)
        assert (ours == forward(SMALL, other, examples.images, operations=true)).all()


def test_a_true_convolution_is_scipys_and_so_are_its_gradients():
    """One map of one image, in integers: the gradient of the input is a correlation."""
    true, generator = true_convolution(fast), numpy.random.default_rng(0)
    x, w, g = (generator.integers(-9, 10, size).astype(float) for size in ((5, 6), (2, 3), (4, 4)))
    four = [array[None, None] for array in (g, x, w)]
    y = true.conv(*four[1:])[0, 0]
    assert (y == scipy.signal.convolve(x, w, "valid", "direct")).all()
    d_x, d_w = (d[0, 0] for d in true.conv_vjp(*four))
    assert (d_x == scipy.signal.correlate(g, w, "full", "direct")).all()
    assert (d_w == numpy.flip(scipy.signal.correlate(x, g, "valid", "direct"))).all()
