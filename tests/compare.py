"""The same deviations against the two public suites of samples: what do those notice?

ONNX's node vectors and the samples of PyTorch's OpInfo database, of convolution and pooling and of
the layers in `compare_layers` and `compare_torch_layers`, are translated to calls.  A suite notices
a deviation if on some sample the deviating function raises, or returns anything further from the
right result than the suite's own tolerance.  `python -m tests.compare` prints the table, `--write`
stores it in docs/comparison.md; it needs the packages onnx, torch and expecttest.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy

import convspec.fast
from convspec.case import Case, forward_name, normalised
from convspec.operations import OPERATIONS
from convspec.oracle.deviations import DEVIATIONS
from convspec.oracle.explanation.replay import right
from tests.compare_layers import ONNX_CALLS, Call
from tests.compare_torch_layers import TORCH_CALLS
from tests.kill_page import share, stored
from tests.planting import is_open

PAGE = Path(__file__).parent.parent / "docs" / "comparison.md"
ONNX_OPERATIONS = {
    "Conv": "conv",
    "ConvTranspose": "conv_transpose",
    "MaxPool": "max_pool",
    "AveragePool": "average_pool",
}
TORCH_OPERATIONS = {
    "conv": "conv",
    "conv_transpose": "conv_transpose",
    "max_pool": "max_pool",
    "avg_pool": "average_pool",
}
# What the suites compare with: onnx.backend.test, torch.testing.assert_close in float32, and
# torch.autograd.gradcheck for gradients.
ONNX_TOLERANCE, TORCH_TOLERANCE, GRADIENT_TOLERANCE = (1e-3, 1e-7), (1.3e-6, 1e-5), (1e-3, 1e-5)


class Sample(NamedTuple):
    """A call, what is right, and the relative and absolute tolerance of a comparison."""

    case: Case
    due: tuple[Any, ...]
    relative: float
    absolute: float


def sampled(case: Case, tolerance: tuple[float, float]) -> Sample:
    """A call with its right result."""
    due = right(case)
    assert not isinstance(due, str), due
    return Sample(case, due, *tolerance)


@cache
def onnx_samples() -> tuple[Sample, ...]:
    """The node vectors, but those whose padding our attributes do not spell."""
    from onnx.backend.test.case.node import collect_testcases
    from onnx.helper import get_attribute_value

    from tests.test_onnx_vectors import Vector, translated

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        cases = collect_testcases()
    found = []
    for case in cases:
        node = case.model.graph.node[0]
        if len(case.model.graph.node) > 1:
            continue
        attributes = {item.name: get_attribute_value(item) for item in node.attribute}
        if node.op_type in ONNX_CALLS:
            calls = [ONNX_CALLS[node.op_type](x, attributes, y[0]) for x, y in case.data_sets]
            found += [sampled(call, ONNX_TOLERANCE) for call in map(_spelled, calls) if call]
        if node.op_type not in ONNX_OPERATIONS or {"output_shape", "storage_order"} & {*attributes}:
            continue
        for inputs, outputs in case.data_sets:
            ours = translated(Vector(case.name, node.op_type, attributes, inputs, outputs))
            operation = ONNX_OPERATIONS[node.op_type]
            if operation == "max_pool" and len(outputs) > 1:
                operation = "max_pool_with_indices"
            call = _call(operation, inputs, ours)
            if call is not None:
                found.append(sampled(call, ONNX_TOLERANCE))
    return tuple(found)


def _spelled(call: Call | None) -> Case | None:
    """The normalised call of a layer."""
    return None if call is None else _call(*call)


def _call(operation: str, arrays: Sequence[Any], attributes: dict[str, Any]) -> Case | None:
    """The normalised call; None for what the spec leaves out, such as negative padding."""
    row = OPERATIONS[operation]
    operands = dict(zip(row.operands, map(numpy.asarray, arrays), strict=False))
    shapes = {name: array.shape for name, array in operands.items()}
    try:
        complete = normalised(operation, shapes, attributes)
        row.shape(*shapes.values(), **complete)
    except (TypeError, ValueError):
        return None
    return Case(operation, operands, complete)


@cache
def torch_samples() -> tuple[Sample, ...]:
    """The samples of OpInfo, forward in float32 and backward in float64."""
    import torch
    from torch.testing._internal.common_methods_invocations import op_db

    found = []
    for info in op_db:
        name = info.name.removeprefix("nn.functional.")
        operation = TORCH_OPERATIONS.get(name[:-2] if name.endswith("d") else "", "")
        if not operation and name not in TORCH_CALLS:
            continue
        for dtype in (torch.float32, torch.float64):
            for sample in info.sample_inputs("cpu", dtype):
                call = (
                    _torch_call(operation, sample)
                    if operation
                    else _spelled(TORCH_CALLS[name](sample))
                )
                if call is None:
                    continue
                if dtype == torch.float32:
                    found.append(sampled(call, TORCH_TOLERANCE))
                else:
                    found.append(sampled(_backward(call), GRADIENT_TOLERANCE))
    return tuple(found)


def _torch_call(operation: str, sample: Any) -> Case | None:
    """A sample as a call of ours; None for options that the spec does not have."""
    options = dict(sample.kwargs)
    if options.pop("divisor_override", None) is not None:
        return None
    indices = options.pop("return_indices", False)
    names = ("weight", "bias") if "pool" not in operation else ("kernel_size", "stride", "padding")
    given = {**dict(zip(names, sample.args, strict=False)), **options}
    arrays = [sample.input, *(given.pop(name) for name in ("weight", "bias") if name in given)]
    arrays = [array.detach().numpy() for array in arrays if array is not None]
    rank = {"conv": arrays[1].ndim - 2} if len(arrays) > 1 else {}
    spatial = rank.get("conv", len(numpy.atleast_1d(given.get("kernel_size", 0))))
    if arrays[0].ndim == spatial + 1:  # PyTorch takes a single item without its batch axis
        arrays[0] = arrays[0][None]
    if given.get("padding") == "same":
        given["padding"] = "same_upper"
    if operation == "average_pool":
        given.setdefault("count_include_pad", True)
    given = {name: value for name, value in given.items() if value is not None}
    if operation == "max_pool" and indices:
        operation = "max_pool_with_indices"
    return _call(operation, arrays, given)


def _backward(case: Case) -> Case:
    """The gradient of a call, for a random cotangent."""
    outputs = right(case)
    assert not isinstance(outputs, str), outputs
    cotangent = numpy.random.default_rng(0).standard_normal(outputs[0].shape)
    operands = {"cotangent": cotangent, **case.operands}
    return Case(f"{case.operation}_vjp", operands, case.attributes)


def notices(samples: Sequence[Sample], name: str, operation: str) -> bool:
    """Whether some sample of a suite tells a deviation from a correct implementation."""
    function = DEVIATIONS[name].edit(convspec.fast, operation)
    return any(
        _differs(function, sample) for sample in samples if sample.case.operation == operation
    )


def _differs(function: Any, sample: Sample) -> bool:
    operands = [array.copy() for array in sample.case.operands.values()]
    try:
        with numpy.errstate(all="ignore"):
            result = function(*operands, **sample.case.attributes)
    except Exception:  # a deviation that refuses a sample is noticed
        return True
    outputs = result if isinstance(result, tuple) else (result,)
    return len(outputs) != len(sample.due) or not all(
        numpy.shape(seen) == numpy.shape(value)
        and numpy.allclose(seen, value, rtol=sample.relative, atol=sample.absolute, equal_nan=True)
        for seen, value in zip(outputs, sample.due, strict=True)
    )


class Counts(NamedTuple):
    """How many deviations of an operation there are, and how many each suite notices."""

    operation: str
    deviations: int
    onnx: int
    torch: int
    quick: int
    standard: int


def counts() -> Iterator[Counts]:
    """What is noticed, operation by operation; open points are no mistakes and left out."""
    killed = {
        (row.name, row.operation, row.level)
        for rows in stored().values()
        for row in rows
        if row.killed
    }
    reached = {s.case.operation for s in (*onnx_samples(), *torch_samples())}
    for operation in (name for row in OPERATIONS for name in (row, f"{row}_vjp")):
        names = [
            name
            for name, deviation in DEVIATIONS.items()
            if operation in deviation.operations and not is_open(deviation)
        ]
        if not names or forward_name(operation) not in reached:
            continue
        yield Counts(
            operation,
            len(names),
            sum(notices(onnx_samples(), name, operation) for name in names),
            sum(notices(torch_samples(), name, operation) for name in names),
            sum((name, operation, "quick") in killed for name in names),
            sum((name, operation, "standard") in killed for name in names),
        )


def table(found: Sequence[Counts]) -> list[str]:
    """The counts as lines of Markdown, the last of which is their sum."""
    total = Counts("together", *(sum(column) for column in list(zip(*found, strict=True))[1:]))
    lines = [
        "| operation | deviations | ONNX vectors | PyTorch OpInfo samples | `quick` | `standard` |",
        "|---|---|---|---|---|---|",
        *(f"| {' | '.join(map(str, row))} |" for row in found),
    ]
    noticed = (share(count, total.deviations) for count in total[2:])
    lines.append(f"| together | {total.deviations} | {' | '.join(noticed)} |")
    return lines


HEAD = """# Comparison

How many of the deviations do the two public suites of samples notice?  Each deviation of the
[kill matrix](kill-matrix.md) that is no open point is put to ONNX's node vectors and to the samples
of PyTorch's OpInfo database, forward and, for OpInfo, backward, at the tolerances with which those
suites compare (rtol 1e-3 and atol 1e-7; `assert_close` in float32; `gradcheck`).  Only samples are
compared: what the suites do besides (bad arguments, memory layout, dtypes) is not.  ONNX has no
gradients.  The last two columns are `convspec check`, from the kill matrix.

Renewed by `tox -e compare`.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, and write it if that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="renew docs/comparison.md")
    chosen = parser.parse_args(arguments)
    lines = table(list(counts()))
    sizes = f"{len(onnx_samples())} vectors of onnx {version('onnx')}"
    sizes = f"{sizes}, {len(torch_samples())} samples of torch {version('torch')}"
    print("\n".join([*lines, "", sizes]))
    if chosen.write:
        draft = PAGE.with_suffix(".draft")
        draft.write_text("\n".join([HEAD, f"Measured with {sizes}.", "", *lines, ""]))
        draft.replace(PAGE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
