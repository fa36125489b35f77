"""Recorded vectors in the layout of ONNX backend tests, which every runtime of ONNX can run.

    test_NAME/model.onnx
    test_NAME/test_data_set_0/input_0.pb, …, output_0.pb, …

The layout has no place for a bound, nor for a call that must be refused: a runner brings its own
tolerance, and only calls that return are written.  The name ends in `exact` or `special` where
nothing rounds, so that outputs must be equal (any NaN equals any NaN), and in `rounded` elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import prod

import numpy
from onnx import numpy_helper

from convspec.adapters.onnx_models import model
from convspec.arguments import Array
from convspec.oracle.recorded.vectors import DTYPE, Vector, vectors

EXPRESSIBLE = ("conv", "conv_transpose", "max_pool", "max_pool_with_indices", "average_pool")
KINDS = {"Exact": "exact", "SpecialValues": "special", "Rounded": "rounded"}


def onnx_files(operations: Iterable[str], level: str, seed: int) -> Iterator[tuple[str, bytes]]:
    """The names and contents of the files, the same ones for the same arguments.

    >>> [name for name, _ in onnx_files(["max_pool"], "quick", 0)][:2]
    ['test_max_pool_1_exact/model.onnx', 'test_max_pool_1_exact/test_data_set_0/input_0.pb']
    """
    for operation in operations:
        for count, vector in enumerate(vectors(operation, level, seed), start=1):
            if vector.refused is None:
                kind = KINDS[vector.flags[0]]
                yield from _case(f"test_{operation}_{count}_{kind}", vector)


def _case(name: str, vector: Vector) -> Iterator[tuple[str, bytes]]:
    case = vector.case
    operands = [operand.astype(DTYPE) for operand in case.operands.values()]
    shapes = tuple(operand.shape for operand in operands)
    made = model(case.operation, shapes, DTYPE.name, case.attributes)
    yield f"{name}/model.onnx", made.SerializeToString(deterministic=True)
    outputs = [value.astype(DTYPE) for value in vector.expected]
    if case.operation == "max_pool_with_indices":
        outputs[1] = _through_tensor(vector.expected[1], shapes[0])
    for word, arrays in (("input", operands), ("output", outputs)):
        declared = made.graph.input if word == "input" else made.graph.output
        for place, (value, array) in enumerate(zip(declared, arrays, strict=True)):
            tensor = numpy_helper.from_array(numpy.ascontiguousarray(array), value.name)
            content = tensor.SerializeToString(deterministic=True)
            yield f"{name}/test_data_set_0/{word}_{place}.pb", content


def _through_tensor(indices: Array, shape: tuple[int, ...]) -> Array:
    """Indices as ONNX counts them: through the whole tensor instead of one channel."""
    batch, channels, *spatial = shape
    planes = numpy.arange(batch * channels, dtype=numpy.int64) * prod(spatial)
    through: Array = indices + planes.reshape(batch, channels, *(1,) * len(spatial))
    return through
