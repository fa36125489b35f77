"""PyTorch against the definitions: every operation that it offers, forward and backward.

Where arithmetic is exact the two are equal; where something rounds they agree within the roundings
of both, which a call states.  What PyTorch defines differently is worked out by hand below.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from math import prod
from typing import Any, NamedTuple

import numpy
import pytest

import convspec
from convspec.operations import OPERATIONS
from convspec.rounding import growth

torch = pytest.importorskip("torch", reason="PyTorch is an independent witness where installed")
functional = torch.nn.functional

U = 2.0**-53

# What PyTorch has no function for; its signal processing and its images are other packages.
NOT_OFFERED = {
    "convolve": "it has neither mode nor a flip",
    "correlate": "it has no mode full, and same only as a padding of conv",
    "distance_weighted_pool": "it has no weighted average",
}


class Call(NamedTuple):
    """A call of an operation, and the same in PyTorch on tensors of its operands, in order.

    `without_gradient` names the operands to which PyTorch passes nothing back.  Both sides of an
    output are sums of terms as large as `magnitude` at most, and of a cotangent likewise, with so
    many `roundings` in all; none where nothing rounds.
    """

    operation: str
    operands: dict[str, Any]
    attributes: dict[str, Any]
    theirs: Callable[..., Any]
    roundings: int = 0
    magnitude: float = 1.0
    without_gradient: tuple[str, ...] = ()


def integers(*shape: int, seed: int = 0, least: int = -9) -> Any:
    """Small integers as float64: sums of their products are exact in any order."""
    return numpy.random.default_rng(seed).integers(least, 10, shape).astype(float)


def reals(*shape: int, seed: int = 0) -> Any:
    return numpy.random.default_rng(seed).uniform(-2, 2, shape)


def by_rank(name: str, rank: int) -> Any:
    """PyTorch's function for this many spatial axes."""
    return getattr(functional, f"{name}{rank}d")


# One entry an axis, unequal so that none can stand in for another; the first `rank` are used.
SIZE, KERNEL, STRIDE, DILATION, PADDING = (7, 6, 5), (3, 2, 2), (2, 1, 3), (2, 3, 1), (1, 0, 2)
RANKS = (1, 2, 3)


def convolutions(rank: int) -> list[Call]:
    size, kernel = SIZE[:rank], KERNEL[:rank]
    x, sliding = (
        integers(2, 4, *size),
        {"stride": STRIDE[:rank], "padding": PADDING[:rank], "dilation": DILATION[:rank]},
    )
    conv, transpose = by_rank("conv", rank), by_rank("conv_transpose", rank)
    one = (1,) * rank
    ones = torch.ones(4, 1, *one, dtype=torch.float64)

    def separable(x: Any, depthwise: Any, pointwise: Any, bias: Any) -> Any:
        between = conv(x, depthwise, groups=4, **sliding)
        return conv(between, pointwise.reshape(*pointwise.shape, *one), bias)

    def in_passes(x: Any, *factors: Any) -> Any:
        """One depthwise pass an axis, with the stride and the padding of that axis."""
        for axis, factor in enumerate(factors):
            on_axis = [-1 if other == axis else 1 for other in range(rank)]
            weight = factor.reshape(1, 1, *on_axis).expand(
                4, 1, *on_axis[:axis], len(factor), *on_axis[axis + 1 :]
            )
            stride = [STRIDE[axis] if other == axis else 1 for other in range(rank)]
            padding = [PADDING[axis] if other == axis else 0 for other in range(rank)]
            x = conv(x, weight, stride=stride, padding=padding, groups=4)
        return x

    weight, bias = integers(6, 2, *kernel, seed=1), integers(6, seed=2)
    calls = [
        Call(
            "conv",
            {"input": x, "weight": weight, "bias": bias},
            {**sliding, "groups": 2},
            lambda *operands: conv(*operands, **sliding, groups=2),
        ),
        # PyTorch's word puts the odd position on the high side, and allows no stride.
        Call(
            "conv",
            {"input": x, "weight": weight},
            {"padding": "same_upper", "dilation": DILATION[:rank], "groups": 2},
            lambda x, w: conv(x, w, padding="same", dilation=DILATION[:rank], groups=2),
        ),
        Call(
            "conv",
            {"input": x, "weight": weight},
            {"padding": "valid", "groups": 2},
            lambda x, w: conv(x, w, padding="valid", groups=2),
        ),
        Call(
            "conv_transpose",
            {"input": x, "weight": integers(4, 3, *kernel, seed=1), "bias": bias},
            {**sliding, "output_padding": (1, 2, 0)[:rank], "groups": 2},
            lambda *operands: transpose(
                *operands, **sliding, output_padding=(1, 2, 0)[:rank], groups=2
            ),
        ),
        Call(
            "depthwise_conv",
            {"input": x, "weight": integers(8, 1, *kernel, seed=1), "bias": integers(8, seed=2)},
            sliding,
            lambda *operands: conv(*operands, **sliding, groups=4),
        ),
        Call(
            "pointwise_conv",
            {"input": x, "weight": integers(3, 4, seed=1), "bias": integers(3, seed=2)},
            {},
            lambda x, w, b: conv(x, w.reshape(3, 4, *one), b),
        ),
        Call(
            "depthwise_separable_conv",
            {
                "input": x,
                "depthwise": integers(8, 1, *kernel, seed=1),
                "pointwise": integers(3, 8, seed=2),
                "bias": integers(3, seed=3),
            },
            sliding,
            separable,
        ),
        Call(
            "spatially_separable_conv",
            {"input": x, "factors": [integers(k, seed=1 + k) for k in kernel]},
            {"stride": STRIDE[:rank], "padding": PADDING[:rank]},
            in_passes,
        ),
        Call(
            "insert_zeros",
            {"input": x},
            {"count": tuple(s - 1 for s in STRIDE[:rank])},
            lambda x: transpose(x, ones, stride=STRIDE[:rank], groups=4),
        ),
    ]
    return calls


def local_connections() -> list[Call]:
    """`unfold`, which has two axes, lays every window out as a column."""
    sliding = {"stride": (2, 1), "padding": (1, 0), "dilation": (1, 2)}
    operands = {
        "input": integers(2, 3, 5, 6),
        "weight": integers(2, 3, 3, 4, 3, 2, seed=1),
        "bias": integers(2, 3, 4, seed=2),
    }

    def unfolded(x: Any, w: Any, b: Any) -> Any:
        columns = functional.unfold(x, (3, 2), **sliding).reshape(2, 3, 3, 2, 3, 4)
        return torch.einsum("ncijyx,ocyxij->noyx", columns, w) + b

    return [Call("locally_connected", operands, sliding, unfolded)]


def pools(rank: int) -> list[Call]:
    # Averages are over 2^a elements or of multiples of their number: exact in both.
    x = 144 * integers(2, 3, *SIZE[:rank])
    kernel, stride = (3, 2, 2)[:rank], STRIDE[:rank]
    tight = {"kernel_size": kernel, "stride": stride, "padding": (1, 1, 0)[:rank]}
    calls: list[Call] = []
    for ceil in (False, True):
        dilated = {**tight, "dilation": (1, 2, 1)[:rank], "ceil_mode": ceil}
        maxima = by_rank("max_pool", rank)
        for operation, both in (("max_pool", False), ("max_pool_with_indices", True)):
            calls.append(
                Call(
                    operation,
                    {"input": x},
                    dilated,
                    lambda x, maxima=maxima, dilated=dilated, both=both: maxima(
                        x, **dilated, return_indices=both
                    ),
                )
            )
        for counted in (False, True):
            attributes = {**tight, "ceil_mode": ceil, "count_include_pad": counted}
            calls.append(
                Call(
                    "average_pool",
                    {"input": x},
                    attributes,
                    lambda x, attributes=attributes: by_rank("avg_pool", rank)(x, **attributes),
                )
            )
    for (operation, name), output in product(
        (
            ("adaptive_max_pool", "adaptive_max_pool"),
            ("adaptive_average_pool", "adaptive_avg_pool"),
        ),
        # Fewer windows than positions, and more.
        ((3, 4, 2)[:rank], (8, 6, 7)[:rank]),
    ):
        adaptive = by_rank(name, rank)
        calls.append(
            Call(
                operation,
                {"input": x},
                {"output_size": output},
                lambda x, adaptive=adaptive, output=output: adaptive(x, output),
            )
        )
    for kind, name in (("max", "adaptive_max_pool"), ("average", "adaptive_avg_pool")):
        level = by_rank(name, rank)
        calls.append(
            Call(
                "spatial_pyramid_pool",
                {"input": x},
                {"levels": (2, 1), "kind": kind},
                lambda x, level=level: torch.cat([level(x, n).flatten(1) for n in (2, 1)], dim=1),
            )
        )
    return [*calls, unpooling(rank), *norms(rank)]


def unpooling(rank: int) -> Call:
    """Two maxima of every channel, and where they were."""
    size = (4, 3, 2)[:rank]
    pooled = (2,) + (1,) * (rank - 1)
    places = [[0, prod(size) - 1], [1, prod(size) - 2]]
    indices = numpy.array([places, places[::-1]]).reshape(2, 2, *pooled)
    return Call(
        "max_unpool",
        {"values": integers(2, 2, *pooled), "indices": indices},
        {"output_size": size},
        lambda v, i: by_rank("max_unpool", rank)(v, i, kernel_size=2, output_size=size),
    )


def norms(rank: int) -> list[Call]:
    """Without padding, dilation and ceil mode, and for odd degrees of numbers that are not
    negative: see below.
    """
    x = reals(2, 3, *SIZE[:rank])
    # Of one axis it takes an int, and no tuple.
    kernel, stride = (KERNEL[0], STRIDE[0]) if rank == 1 else (KERNEL[:rank], STRIDE[:rank])
    calls = []
    for p, image in ((2, x), (4, x), (1, abs(x)), (3, abs(x)), (1.5, abs(x))):
        attributes = {"p": p, "kernel_size": kernel, "stride": stride}
        calls.append(
            Call(
                "lp_pool",
                {"input": image},
                attributes,
                lambda x, p=p: by_rank("lp_pool", rank)(x, p, kernel, stride),
                # A power of each of up to 12 elements, their sum and its root, of 4 ulps each, and
                # backwards a quotient and a power more; a derivative is at most 1, in 8 windows.
                roundings=64,
                magnitude=9 * 12 * 2.0,
            )
        )
    return calls


def resizing(rank: int) -> list[Call]:
    x, scale = integers(2, 3, *(3, 2, 4)[:rank]), (2, 4, 1)[:rank]
    size = tuple(n * s for n, s in zip(x.shape[2:], scale, strict=True))
    linear = ("linear", "bilinear", "trilinear")[rank - 1]
    weight, bias = integers(2, 3, *(2, 3, 1)[:rank], seed=1), integers(2, seed=2)

    def enlarged(x: Any, mode: str, **options: Any) -> Any:
        return functional.interpolate(x, size=size, mode=mode, **options)

    def then_convolved(mode: str) -> Callable[..., Any]:
        return lambda x, w, b: by_rank("conv", rank)(enlarged(x, mode), w, b, padding=1)

    return [
        Call("upsample", {"input": x}, {"scale": scale}, lambda x: enlarged(x, "nearest")),
        Call(
            "upsample",
            {"input": x},
            {"scale": scale, "kind": "linear"},
            lambda x: enlarged(x, linear, align_corners=False),
        ),
        Call(
            "upsample",
            {"input": x},
            {"scale": scale, "kind": "linear", "coordinates": "align_corners"},
            lambda x: enlarged(x, linear, align_corners=True),
            # Coordinates up to 8 round, so do their weights; a cotangent adds up 8 outputs' shares.
            roundings=32,
            magnitude=8 * 9.0 * 16,
        ),
        *(
            Call(
                "resize_conv",
                {"input": x, "weight": weight, "bias": bias},
                {"scale": scale, "kind": kind, "padding": 1},
                then_convolved(mode),
            )
            for kind, mode in (("nearest", "nearest"), ("linear", linear))
        ),
    ]


def layers() -> list[Call]:
    x, channels = reals(2, 5, 3), [reals(5, seed=seed) for seed in (2, 3, 4, 5)]
    statistics = {"mean": channels[0], "variance": channels[1] ** 2}
    learnt = {"scale": channels[2], "shift": channels[3]}
    response = {"size": 3, "alpha": 0.5, "beta": 0.75, "k": 2.0}
    labels = numpy.array([0, 3, 1, 1, 2])
    step = {"roundings": 64, "magnitude": 9 * 4.0}
    return [
        Call(
            "pixel_shuffle",
            {"input": integers(2, 8, 3, 2)},
            {"factor": 2},
            lambda x: functional.pixel_shuffle(x, 2),
        ),
        Call(
            "linear",
            {"input": integers(3, 4), "weight": integers(2, 4), "bias": integers(2)},
            {},
            functional.linear,
        ),
        Call("flatten", {"input": integers(2, 3, 4, 2)}, {}, lambda x: torch.flatten(x, 1)),
        Call("relu", {"input": integers(3, 4)}, {}, functional.relu),
        # An exponential or two of 4 ulps each, and sums and quotients of up to 5 numbers of size 1.
        Call("sigmoid", {"input": reals(3, 4)}, {}, torch.sigmoid, **step),
        Call("tanh", {"input": reals(3, 4)}, {}, torch.tanh, **step),
        *(
            Call(
                "softmax",
                {"input": reals(3, 4)},
                {"axis": axis},
                lambda x, axis=axis: torch.softmax(x, axis),
                **step,
            )
            for axis in (0, 1)
        ),
        Call(
            "cross_entropy",
            {"logits": reals(5, 4), "labels": labels},
            {},
            functional.cross_entropy,
            **step,
        ),
        Call(
            "l2_penalty",
            {"weight": integers(3, 4)},
            {"strength": 0.5},
            lambda w: 0.5 / 2 * w.square().sum(),
        ),
        # Statistics are no parameters there: nothing comes back to them.  Slopes are below 2^5.
        Call(
            "batch_norm",
            {"input": x, **statistics, **learnt},
            {"epsilon": 0.25},
            lambda x, mean, variance, scale, shift: functional.batch_norm(
                x, mean, variance, scale, shift, eps=0.25
            ),
            roundings=32,
            magnitude=9 * 2.0**5 * 6,
            without_gradient=("mean", "variance"),
        ),
        Call(
            "local_response_normalization",
            {"input": x},
            response,
            lambda x: functional.local_response_norm(x, **response),
            **step,
        ),
    ]


def dropouts() -> list[Call]:
    """PyTorch draws its mask: drawn again from the same seed, it is the same, and shows on ones."""
    x = integers(4, 6)

    def seeded(x: Any, rate: float) -> Any:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return functional.dropout(x, rate)

    calls = []
    for rate in (0.5, 0.75):
        mask = (seeded(torch.ones(x.shape), rate) != 0).numpy().astype(int)
        assert 0 < mask.sum() < mask.size
        calls.append(
            Call(
                "dropout",
                {"input": x, "mask": mask},
                {"rate": rate},
                lambda x, _, rate=rate: seeded(x, rate),
            )
        )
    return calls


CALLS = [
    *(call for rank in RANKS for make in (convolutions, pools, resizing) for call in make(rank)),
    *(make for family in (local_connections, layers, dropouts) for make in family()),
]


def flat(operands: Any) -> list[Any]:
    """The arrays of a call, those of a list one by one."""
    return [one for each in operands for one in (each if isinstance(each, list) else [each])]


def agree(call: Call, ours: Any, theirs: Any) -> None:
    ours, theirs = numpy.asarray(ours), theirs.detach().numpy()
    assert ours.shape == theirs.shape
    slack = 2 * growth(U, call.roundings) * call.magnitude if call.roundings else 0
    assert (abs(ours - theirs) <= slack).all()


# An even kernel's odd zero: which side it is on is what the comparison is about.
@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.operation)
def test_pytorch_agrees_forward_and_backward(call):
    row = OPERATIONS[call.operation]
    arrays = flat(call.operands.values())
    differentiable = [array.dtype == numpy.float64 for array in arrays]
    constant = [id(call.operands[name]) for name in call.without_gradient]
    tensors = [
        torch.from_numpy(array.copy()).requires_grad_(real and id(array) not in constant)
        for array, real in zip(arrays, differentiable, strict=True)
    ]
    given = call.theirs(*tensors)
    theirs = given if isinstance(given, tuple) else (given,)
    found = row.definition(*call.operands.values(), **call.attributes)
    ours = found if isinstance(found, tuple) else (found,)
    assert len(ours) == len(theirs) == row.outputs
    for one, other in zip(ours, theirs, strict=True):
        agree(call, one, other)
    # Multiples of the divisors of all averages here, so that shares are integers.
    shape = numpy.shape(ours[0])
    g = numpy.asarray(reals(*shape) if call.roundings else 144 * integers(*shape, seed=9))
    theirs[0].backward(torch.from_numpy(g))
    gradients = row.vjp(g, *call.operands.values(), **call.attributes)
    floating = [tensor for tensor, real in zip(tensors, differentiable, strict=True) if real]
    assert len(gradients) == len(floating)
    for gradient, tensor in zip(gradients, floating, strict=True):
        if tensor.requires_grad:
            agree(call, gradient, tensor.grad)


def test_every_operation_is_compared_or_not_offered():
    compared = {call.operation for call in CALLS}
    assert compared | NOT_OFFERED.keys() == OPERATIONS.keys()
    assert not compared & NOT_OFFERED.keys()


def test_an_embedding_is_pytorchs():
    """`conv` over one-hot text with one tap, and the gradient of its weight."""
    words, table, g = numpy.array([2, 0, 2, 1]), integers(3, 5), integers(1, 5, 4, seed=1)
    text = numpy.eye(3)[:, words][None]
    weight = torch.from_numpy(table).requires_grad_()
    looked_up = functional.embedding(torch.from_numpy(words), weight)
    looked_up.backward(torch.from_numpy(g[0].T.copy()))
    kernel = table.T[:, :, None]
    assert numpy.array_equal(convspec.conv(text, kernel)[0].T, looked_up.detach().numpy())
    _, d_kernel = convspec.conv_vjp(g, text, kernel)
    assert numpy.array_equal(d_kernel[:, :, 0].T, weight.grad.numpy())


def test_the_l2_penalty_is_pytorchs_weight_decay():
    """A step of gradient descent without any loss moves the weights by the penalty's gradient."""
    start = integers(3, 4)
    weight = torch.from_numpy(start.copy()).requires_grad_()
    descent = torch.optim.SGD([weight], lr=1, weight_decay=0.5)
    weight.grad = torch.zeros_like(weight)
    descent.step()
    (decay,) = convspec.l2_penalty_vjp(1.0, start, strength=0.5)
    assert numpy.array_equal(start - decay, weight.detach().numpy())


# Where PyTorch defines, or does, something else.


def test_an_even_window_of_channels_reaches_up_here_and_down_in_pytorch():
    """By hand: of 1, 2, 3 with a window of 2 the middle one meets 3 here (as in ONNX), 1 there.

    k + alpha / 2 * energy = 1 + 13 and 1 + 5.  Channels reversed, the two are one.
    """
    x = numpy.array([[[1.0], [2.0], [3.0]]])
    options = {"size": 2, "alpha": 2.0, "beta": 1.0, "k": 1.0}

    def theirs(image: Any) -> Any:
        return functional.local_response_norm(torch.from_numpy(image.copy()), **options).numpy()

    ours = convspec.local_response_normalization(x, **options)
    # A power and a quotient of numbers below 1.
    for found, by_hand in (
        (ours[0, :, 0], [1 / 6, 2 / 14, 3 / 10]),
        (theirs(x)[0, :, 0], [1 / 2, 2 / 6, 3 / 14]),
        (theirs(x[:, ::-1])[0, ::-1, 0], [1 / 6, 2 / 14, 3 / 10]),
    ):
        assert (abs(found - by_hand) <= 8 * U).all()


def test_powers_of_pytorch_keep_their_sign():
    """A norm takes the root of powers of |x|: of -2 it is 2, whatever p.  PyTorch writes x^p
    without bars, so that p = 1 is a signed sum, and p = 3 the cube root of -8, which is no number
    to its `pow`.
    """
    x = torch.tensor([[[-2.0]]], dtype=torch.float64)
    for p in (1, 3):
        assert convspec.lp_pool([[[-2.0]]], p=p, kernel_size=1).item() == 2
    assert functional.lp_pool1d(x, 1, 1).item() == -2
    assert functional.lp_pool1d(x, 3, 1).isnan().all()


def test_norms_of_pytorch_count_elements_that_do_not_exist():
    """In ceil mode the last window of 3, 4, 4 holds one 4, whose norm is 4.  PyTorch averages over
    that one, then multiplies by the whole kernel: sqrt(2 * 16).
    """
    attributes = {"kernel_size": 2, "stride": 2, "ceil_mode": True}
    assert convspec.lp_pool([[[3.0, 4.0, 4.0]]], **attributes).tolist() == [[[5, 4]]]
    x = torch.tensor([[[3.0, 4.0, 4.0]]], dtype=torch.float64)
    last = functional.lp_pool1d(x, 2, **attributes)[0, 0, 1].item()
    assert abs(last - 32**0.5) <= 4 * U * last


def test_nearest_of_pytorch_reads_the_same_positions_at_every_small_scale():
    """It multiplies by a rounded 1 / s where the definition divides.  For sizes below 32 and
    scales below 10 no product falls below the integer that it should be.
    """
    for n, s in product(range(1, 32), range(1, 10)):
        x = torch.arange(n, dtype=torch.float64)[None, None]
        y = functional.interpolate(x, scale_factor=s, mode="nearest").numpy()[0, 0]
        assert numpy.array_equal(y, numpy.repeat(numpy.arange(n), s))
