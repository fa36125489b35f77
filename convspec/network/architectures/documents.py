"""The small networks of the documents: for MNIST, section 5.23 (from Nielsen's Neural Networks and
Deep Learning, chapter 6), and the example for CIFAR-10, section 5.1.

The MNIST networks start from one dense layer and add one thing at a time; the last, five networks
that vote, is five of `mnist_dropout`.  Its dropout acts on what each dense layer reads, as in the
author's code.  For CIFAR-10 the documents give shapes, 32 by 32 by 12, and no kernel: here it is 3
by 3 with padding 1, one choice of several with these shapes.
"""

from __future__ import annotations

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
    softmax,
)

MNIST = (1, 28, 28)


def mnist_dense() -> Network:
    """One hidden layer of 100 units; 97.8 % in the documents."""
    return Network("mnist-dense", MNIST, _dense(sigmoid(), 100))


def mnist_20_maps() -> Network:
    """One convolution of 20 maps in front; 98.78 %."""
    return Network(
        "mnist-20-maps", MNIST, (*_convolution(1, 20, sigmoid()), *_dense(sigmoid(), 100))
    )


def mnist_40_maps() -> Network:
    """A second convolution, of 40 maps; 99.06 %."""
    return Network("mnist-40-maps", MNIST, _two_convolutions(sigmoid(), 100))


def mnist_relu() -> Network:
    """Relu in place of the sigmoid; 99.23 %, with more data 99.37 %."""
    return Network("mnist-relu", MNIST, _two_convolutions(relu(), 100))


def mnist_300_units() -> Network:
    """300 units in the dense layer; 99.46 %."""
    return Network("mnist-300-units", MNIST, _two_convolutions(relu(), 300))


def mnist_1000_units() -> Network:
    """1000 units in the dense layer; 99.43 %."""
    return Network("mnist-1000-units", MNIST, _two_convolutions(relu(), 1000))


def mnist_two_dense() -> Network:
    """Two dense layers of 100 units; 99.43 %."""
    return Network("mnist-two-dense", MNIST, _two_convolutions(relu(), 100, 100))


def mnist_dropout() -> Network:
    """Two dense layers of 1000 units with dropout; 99.60 %, and 99.67 % where five of it vote."""
    return Network("mnist-dropout", MNIST, _two_convolutions(relu(), 1000, 1000, rate=0.5))


def cifar10() -> Network:
    """Input, convolution, relu, pool, dense."""
    parts = (
        conv(12, 3, padding=1, name="conv"),
        relu(),
        max_pool(2, name="pool"),
        flatten(),
        linear(10, name="dense"),
    )
    return Network("cifar10", (3, 32, 32), parts)


def _two_convolutions(activation: Layer, *units: int, rate: float = 0) -> tuple[Part, ...]:
    return (
        *_convolution(1, 20, activation),
        *_convolution(2, 40, activation),
        *_dense(activation, *units, rate=rate),
    )


def _convolution(number: int, maps: int, activation: Layer) -> tuple[Part, ...]:
    """A convolution and a pool; the activation comes after the pool, which commutes with it."""
    return (conv(maps, 5, name=f"conv{number}"), max_pool(2, name=f"pool{number}"), activation)


def _dense(activation: Layer, *units: int, rate: float = 0) -> tuple[Part, ...]:
    dropped = (dropout(rate),) if rate else ()
    parts: list[Part] = [flatten()]
    for number, count in enumerate(units, start=1):
        parts += [*dropped, linear(count, name=f"dense{number}"), activation]
    return (*parts, *dropped, linear(10, name="output"), softmax())
