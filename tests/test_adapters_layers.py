"""PyTorch's layers beyond convolution and pooling: the least that its adapter must offer.

A call of every kind that PyTorch has, in every rank and type, judged as the oracle judges it.
"""

from importlib.util import find_spec

import numpy
import pytest

from convspec.case import Case, normalised
from convspec.oracle.call import callee
from convspec.oracle.cases.filling import filled
from convspec.oracle.check import element
from convspec.oracle.reference import spec
from convspec.oracle.steps.search import judged_finding
from convspec.oracle.target import load, operations_offered
from tests import test_adapters

pytorch = pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed")

SEED = 20240302
TYPES = ["float64", "float32", "float16", "bfloat16"]
SIZE, KERNEL, STRIDE, PADDING, DILATION = (7, 6, 5), (3, 2, 2), (2, 1, 3), (1, 0, 2), (2, 3, 1)


def spatial(rank):
    """Calls whose arrays have spatial axes, everything on that PyTorch has for them."""
    image = (2, 4, *SIZE[:rank])
    sides = tuple((amount, amount) for amount in PADDING[:rank])
    sliding = {"stride": STRIDE[:rank], "padding": sides, "dilation": DILATION[:rank]}
    window = {"kernel_size": KERNEL[:rank], "stride": STRIDE[:rank], "ceil_mode": True}
    few, many = (3, 4, 2)[:rank], (8, 6, 7)[:rank]
    scale = (2, 4, 3)[:rank]
    small = (2, 3, *(3, 2, 4)[:rank])
    statistics = dict.fromkeys(("mean", "variance", "scale", "shift"), (4,))
    response = {"size": 3, "alpha": 0.5, "beta": 0.75, "k": 2.0}
    depthwise = {"input": image, "weight": (8, 1, *KERNEL[:rank]), "bias": (8,)}
    return [
        ("depthwise_conv", depthwise, sliding),
        ("lp_pool", {"input": image}, {**window, "p": 2}),
        *[
            (f"adaptive_{kind}_pool", {"input": image}, {"output_size": output})
            for kind in ("max", "average")
            for output in (few, many)
        ],
        ("max_unpool", *unpooled(rank)),
        ("upsample", {"input": small}, {"scale": scale}),
        *[
            ("upsample", {"input": small}, {"scale": scale, "kind": "linear", "coordinates": word})
            for word in ("half_pixel", "align_corners")
        ],
        ("batch_norm", {"input": image, **statistics}, {"epsilon": 0.125}),
        ("local_response_normalization", {"input": image}, response),
        ("flatten", {"input": image}, {}),
        ("softmax", {"input": image}, {"axis": 2}),
    ]


def unpooled(rank):
    values = {"values": (2, 2, *(2, 2, 1)[:rank]), "indices": (2, 2, *(2, 2, 1)[:rank])}
    return values, {"output_size": (5, 4, 3)[:rank]}


# Calls whose arrays have no spatial axes, or two alone.
FLAT = [
    ("linear", {"input": (3, 5), "weight": (4, 5), "bias": (4,)}, {}),
    ("linear", {"input": (3, 5), "weight": (4, 5)}, {}),
    ("pixel_shuffle", {"input": (2, 8, 3, 4)}, {"factor": (2, 2)}),
    ("cross_entropy", {"logits": (3, 5), "labels": (3,)}, {}),
    *[(name, {"input": (3, 5)}, {}) for name in ("relu", "sigmoid", "tanh", "softmax")],
]
CALLS = [*FLAT, *(call for rank in (1, 2, 3) for call in spatial(rank))]
# Nothing is passed back to running statistics, so that there is no gradient of all operands.
NO_GRADIENT = {"batch_norm"}
# What PyTorch averages over volumes, which it says it cannot on a CPU in these types.
NO_HALF = [("lp_pool", 3), ("local_response_normalization", 2), ("local_response_normalization", 3)]


def rank_of(call):
    return len(next(iter(call[1].values()))) - 2


def named(call):
    return f"{call[0]}-{rank_of(call)}-{list(call[2].values())}".replace(" ", "")


def outcome(call, dtype, target="torch"):
    """What the oracle says of a call and of its gradient: None where it is right."""
    operation, shapes, attributes = call
    attributes = normalised(operation, shapes, attributes)
    for name in [operation] if operation in NO_GRADIENT else [operation, f"{operation}_vjp"]:
        operands = filled(name, shapes, attributes, numpy.random.default_rng(SEED), element(dtype))
        function = callee(load(target), name)
        assert function is not None
        yield judged_finding(function, Case(name, operands, attributes), spec())


@pytorch
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("call", CALLS, ids=named)
def test_pytorch_covers_layer_and_gradient(call, dtype):
    if dtype == "bfloat16":
        pytest.importorskip("ml_dtypes", reason="needs convspec[bfloat16]")
    if (call[0], rank_of(call)) in NO_HALF and dtype in test_adapters.LARGEST:
        # False: it says that it does not offer the call.
        assert set(outcome(call, dtype)) == {False}
    else:
        assert set(outcome(call, dtype)) == {None}


@pytorch
def test_every_layer_that_pytorch_offers_has_its_least():
    stated = {call[0] for call in CALLS} | set(test_adapters.OPERATIONS)
    gradients = {f"{name}_vjp" for name in stated - NO_GRADIENT}
    assert set(operations_offered(load("torch"))) == stated | gradients
