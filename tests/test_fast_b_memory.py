"""The other twins keep within their scratch memory, whatever the sizes of a call."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy
import pytest

from convspec import fast
from convspec.fast import blocks
from tests.test_fast_b_exact import NAMES

Large = Callable[[str], tuple[tuple[Any, ...], dict[str, Any]]]
IMAGES = (8, 16, 224, 224)  # 6.4 million elements, four times a buffer of float64


def ones(*shape: int, dtype: str = "float32") -> numpy.ndarray:
    return numpy.ones(shape, dtype)


def images(attributes: dict[str, Any], shape: tuple[int, ...] = IMAGES) -> Large:
    return lambda dtype: ((ones(*shape, dtype=dtype),), attributes)


def with_kernels(*kernels: tuple[int, ...], **attributes: Any) -> Large:
    return lambda dtype: (
        (ones(*IMAGES, dtype=dtype), *(ones(*k, dtype=dtype) for k in kernels)),
        attributes,
    )


def places() -> numpy.ndarray:
    rows = numpy.arange(112)[:, None] * 2 * 224 + numpy.arange(112) * 2
    return numpy.ascontiguousarray(numpy.broadcast_to(rows, (32, 16, 112, 112)))


# Each far beyond the bound if it were worked on all at once in a wider dtype.
LARGE: dict[str, Large] = {
    "depthwise_conv": with_kernels((32, 1, 3, 3), padding=1),
    "pointwise_conv": with_kernels((24, 16)),
    "depthwise_separable_conv": with_kernels((64, 1, 3, 3), (8, 64), padding=1),
    "locally_connected": lambda dtype: (
        (ones(4, 16, 60, 60, dtype=dtype), ones(8, 16, 58, 58, 3, 3, dtype=dtype)),
        {},
    ),
    "spatially_separable_conv": lambda dtype: (
        (ones(*IMAGES, dtype=dtype), [ones(3, dtype=dtype), ones(5, dtype=dtype)]),
        {},
    ),
    "max_unpool": lambda dtype: (
        (ones(32, 16, 112, 112, dtype=dtype), places()),
        {"output_size": 224},
    ),
    "lp_pool": images({"kernel_size": 3, "stride": 1}),
    "distance_weighted_pool": images({"kernel_size": 3, "stride": 1}),
    "adaptive_max_pool": images({"output_size": 100}),
    "adaptive_average_pool": images({"output_size": 100}),
    "spatial_pyramid_pool": images({"levels": (4, 2, 1)}),
    "upsample": images({"scale": 2, "kind": "linear"}, (4, 8, 224, 224)),
    "insert_zeros": images({"count": 1}),
    "pixel_shuffle": images({"factor": 2}),
    "resize_conv": lambda dtype: (
        (ones(4, 16, 112, 112, dtype=dtype), ones(8, 16, 3, 3, dtype=dtype)),
        {"scale": 2, "padding": 1, "kind": "linear"},
    ),
    "linear": lambda dtype: ((ones(3000, 3000, dtype=dtype), ones(3000, 3000, dtype=dtype)), {}),
    "flatten": images({}),
    "relu": images({}),
    "sigmoid": images({}),
    "tanh": images({}),
    "softmax": images({"axis": 1}),
    "dropout": lambda dtype: (
        (ones(*IMAGES, dtype=dtype), ones(*IMAGES, dtype="uint8")),
        {"rate": 0.5},
    ),
    "cross_entropy": lambda dtype: ((ones(600, 20_000, dtype=dtype), numpy.zeros(600, int)), {}),
    "l2_penalty": lambda dtype: ((ones(*IMAGES, dtype=dtype),), {"strength": 0.1}),
    "batch_norm": with_kernels((16,), (16,), (16,), (16,), epsilon=0.1),
    "local_response_normalization": images({"size": 5, "alpha": 1.0, "beta": 0.75, "k": 1.0}),
}
FURTHER: dict[str, tuple[str, Large]] = {
    "one long row": ("softmax", images({"axis": 1}, (1, 6_000_000))),
    "one long row back": ("softmax_vjp", images({"axis": 1}, (1, 6_000_000))),
    "one large plane": ("adaptive_max_pool", images({"output_size": 1}, (1, 1, 3000, 3000))),
    "one large plane back": (
        "adaptive_max_pool_vjp",
        images({"output_size": 3}, (1, 1, 3000, 3000)),
    ),
    "one large plane, averaged": (
        "adaptive_average_pool_vjp",
        images({"output_size": 3}, (1, 1, 3000, 3000)),
    ),
    "one large plane, separable": (
        "depthwise_separable_conv_vjp",
        lambda dtype: (
            tuple(ones(*s, dtype=dtype) for s in ((1, 1, 2000, 2000), (2, 1, 3, 3), (1, 2))),
            {},
        ),
    ),
    "nearest": ("upsample", images({"scale": 2}, (4, 8, 224, 224))),
    "nearest back": ("upsample_vjp", images({"scale": 2}, (4, 8, 224, 224))),
}  # fmt: skip
CALLS = {name: (name, LARGE[name.removesuffix("_vjp")]) for name in NAMES} | FURTHER


def test_every_twin_has_a_large_call() -> None:
    assert {name for name, _ in CALLS.values()} == set(NAMES)


def peak_beyond_results(name: str, operands: tuple[Any, ...], attributes: dict[str, Any]) -> int:
    tracemalloc.start()
    try:
        found = getattr(fast, name)(*operands, **attributes)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return peak - sum(y.nbytes for y in (found if isinstance(found, tuple) else (found,)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("call", "dtype"),
    [*((call, "float16") for call in CALLS), *((call, "float32") for call in FURTHER)],
)
def test_scratch_memory_is_bounded(call: str, dtype: str) -> None:
    name, large = CALLS[call]
    operands, attributes = large(dtype)
    if name.endswith("_vjp"):
        y = numpy.asarray(getattr(fast, name.removesuffix("_vjp"))(*operands, **attributes))
        operands = (y, *operands)
    assert peak_beyond_results(name, operands, attributes) <= blocks.SCRATCH
