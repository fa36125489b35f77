"""The digits that scikit-learn ships, 8 by 8 pixels, and the techniques of the documents on them.

The documents go from one dense layer to five convolutional networks that vote, one thing at a time,
on MNIST; here is the same course in small, on 1797 images, a third of which is held out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy

from convspec.network.layers import (
    Layer,
    Network,
    Part,
    conv,
    dropout,
    flatten,
    linear,
    max_pool,
    relu,
    sigmoid,
)
from convspec.network.training import Examples, Settings

SIZE = (1, 8, 8)
CLASSES = 10


class Recipe(NamedTuple):
    """A network, how it is trained, and whether on shifted images too."""

    network: Network
    settings: Settings
    shifts: bool = False


def digits() -> tuple[Examples, Examples]:
    """The examples to learn from and those held out: always the same third, stratified by class.

    Images are float32 from 0 to 1.  Raises `ImportError` where scikit-learn is missing.
    """
    try:
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split
    except ImportError as error:
        raise ImportError("the digits need scikit-learn: pip install 'convspec[train]'") from error
    images, labels = load_digits(return_X_y=True)
    images = (images / 16).astype(numpy.float32).reshape(-1, *SIZE)
    learn, hold, learn_labels, hold_labels = train_test_split(
        images, labels, test_size=1 / 3, stratify=labels, random_state=0
    )
    return Examples(learn, learn_labels), Examples(hold, hold_labels)


def recipes() -> dict[str, Recipe]:
    """The course: each recipe adds one technique to the one before it."""
    plain = Settings(epochs=10, batch=20, rate=0.1)
    momentum = plain._replace(rate=0.02, momentum=0.9)
    decay = momentum._replace(decay=1e-3)
    falling = decay._replace(factor=0.5, every=3)
    # Five times as many images in batches two and a half times as large, and the rate with them.
    many = falling._replace(batch=50, rate=0.05)
    one = (*_convolution(1, 16, sigmoid()), *_dense(sigmoid(), 64))
    two = _two_convolutions(sigmoid())
    rectified = _two_convolutions(relu())
    wider = _two_convolutions(relu(), units=256)
    dropped = _two_convolutions(relu(), units=256, rate=0.5)
    return {
        "dense layer": Recipe(_network("dense", _dense(sigmoid(), 64)), plain),
        "+ convolution": Recipe(_network("one", one), plain),
        "+ second convolution": Recipe(_network("two", two), plain),
        "relu for sigmoid": Recipe(_network("relu", rectified), plain),
        "+ momentum": Recipe(_network("relu", rectified), momentum),
        "+ weight decay": Recipe(_network("relu", rectified), decay),
        "+ falling rate": Recipe(_network("relu", rectified), falling),
        "+ shifts": Recipe(_network("relu", rectified), many, shifts=True),
        "+ units": Recipe(_network("units", wider), many, shifts=True),
        "+ dropout": Recipe(_network("dropout", dropped), many, shifts=True),
    }


# All techniques together.
BEST = "+ dropout"


def _network(name: str, parts: tuple[Part, ...]) -> Network:
    return Network(f"digits-{name}", SIZE, parts)


def _convolution(number: int, maps: int, activation: Layer) -> tuple[Part, ...]:
    return (
        conv(maps, 3, padding=1, name=f"conv{number}"),
        max_pool(2, name=f"pool{number}"),
        activation,
    )


def _two_convolutions(activation: Layer, units: int = 64, rate: float = 0) -> tuple[Part, ...]:
    return (
        *_convolution(1, 16, activation),
        *_convolution(2, 32, activation),
        *_dense(activation, units, rate),
    )


def _dense(activation: Layer, units: int, rate: float = 0) -> tuple[Part, ...]:
    """A hidden layer and the scores of the classes, with dropout on what these read."""
    dropped = (dropout(rate),) if rate else ()
    return (
        flatten(),
        linear(units, name="hidden"),
        activation,
        *dropped,
        linear(CLASSES, name="scores"),
    )
