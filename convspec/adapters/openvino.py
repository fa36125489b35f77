"""OpenVINO on the CPU, one compiled model for each geometry.

`openvino` leaves the precision to the device, which is bfloat16 on processors that have it;
`openvino:float32` asks for float32.  A model has one thread: starting more costs more than what is
computed here.  Nothing here reports usage: of OpenVINO, its model converter does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import numpy
import openvino
from openvino import opset16

from convspec.arguments import Array, Shape

MODELS = 256  # kept: more than one step of a check comes back to

Ints = Sequence[int]
Pairs = Sequence[tuple[int, int]]


def _conv(
    input: Any, weight: Any, *bias: Any, stride: Ints, padding: Pairs, dilation: Ints, groups: int
) -> list[Any]:
    sliding = {"strides": stride, **_pads(padding), "dilations": dilation}
    if groups == 1:
        return [_biased(opset16.convolution(input, weight, **sliding), bias)]
    grouped = _split(weight, groups)
    return [_biased(opset16.group_convolution(input, grouped, **sliding), bias)]


def _conv_transpose(
    input: Any,
    weight: Any,
    *bias: Any,
    stride: Ints,
    padding: Pairs,
    output_padding: Ints,
    dilation: Ints,
    groups: int,
) -> list[Any]:
    sliding = {
        "strides": stride,
        **_pads(padding),
        "dilations": dilation,
        "output_padding": list(output_padding),
        "auto_pad": "explicit",
    }
    if groups == 1:
        return [_biased(opset16.convolution_backprop_data(input, weight, **sliding), bias)]
    grouped = _split(weight, groups)
    return [_biased(opset16.group_convolution_backprop_data(input, grouped, **sliding), bias)]


def _max_pool(
    input: Any,
    *,
    kernel_size: Ints,
    stride: Ints,
    padding: Pairs,
    dilation: Ints,
    ceil_mode: bool,
) -> list[Any]:
    pool = opset16.max_pool(
        input,
        strides=stride,
        dilations=dilation,
        **_pads(padding),
        kernel_shape=kernel_size,
        rounding_type=_rounding(ceil_mode=ceil_mode),
        axis=2,  # indices count through one channel
    )
    return [pool.output(0), pool.output(1)]


def _average_pool(
    input: Any,
    *,
    kernel_size: Ints,
    stride: Ints,
    padding: Pairs,
    dilation: Ints,
    ceil_mode: bool,
    count_include_pad: bool,
) -> list[Any]:
    filled = all(max(pair) < size for pair, size in zip(padding, kernel_size, strict=True))
    if not (count_include_pad or filled):
        raise NotImplementedError("OpenVINO pads by less than the kernel what it does not count")
    return [
        opset16.avg_pool(
            input,
            strides=stride,
            **_pads(padding),
            kernel_shape=kernel_size,
            exclude_pad=not count_include_pad,
            rounding_type=_rounding(ceil_mode=ceil_mode),
            dilations=dilation,
        )
    ]


_GRAPHS: dict[str, Callable[..., list[Any]]] = {
    "conv": _conv,
    "conv_transpose": _conv_transpose,
    "max_pool": _max_pool,
    "average_pool": _average_pool,
}


def _rounding(*, ceil_mode: bool) -> str:
    return "ceil_torch" if ceil_mode else "floor"


def _pads(padding: Pairs) -> dict[str, list[int]]:
    return {"pads_begin": [low for low, _ in padding], "pads_end": [high for _, high in padding]}


def _split(weight: Any, groups: int) -> Any:
    """A weight with an axis of groups before its first, as OpenVINO has it."""
    first, *rest = weight.shape
    if first % groups:
        raise ValueError(f"groups={groups}: must divide the {first} filters of the weight")
    return opset16.reshape(weight, [groups, first // groups, *rest], special_zero=False)


def _biased(output: Any, bias: Sequence[Any]) -> Any:
    if not bias:
        return output
    _, channels, *spatial = output.get_output_shape(0)
    along = [channels, *(1 for _ in spatial)]
    return opset16.add(output, opset16.reshape(bias[0], along, special_zero=False))


def _implementation(name: str, **config: Any) -> SimpleNamespace:
    """The operations as the CPU computes them under a configuration."""
    core = openvino.Core()
    settings = {"INFERENCE_NUM_THREADS": 1, **config}

    @lru_cache(maxsize=MODELS)
    def compiled(operation: str, shapes: tuple[Shape, ...], dtype: str, **attributes: Any) -> Any:
        inputs = [opset16.parameter(list(shape), numpy.dtype(dtype).type) for shape in shapes]
        model = openvino.Model(_GRAPHS[operation](*inputs, **attributes), inputs)
        return core.compile_model(model, "CPU", settings)

    def outputs(operation: str, *operands: Array | None, **attributes: Any) -> list[Array]:
        arrays = [array for array in operands if array is not None]
        shapes = tuple(array.shape for array in arrays)
        model = compiled(operation, shapes, arrays[0].dtype.name, **attributes)
        found = model(arrays, share_inputs=False, share_outputs=False)
        return [found[place] for place in range(len(model.outputs))]

    def conv(input: Array, weight: Array, bias: Array | None = None, **attributes: Any) -> Array:
        return outputs("conv", input, weight, bias, **attributes)[0]

    def conv_transpose(
        input: Array, weight: Array, bias: Array | None = None, **attributes: Any
    ) -> Array:
        return outputs("conv_transpose", input, weight, bias, **attributes)[0]

    def max_pool(input: Array, **attributes: Any) -> Array:
        return outputs("max_pool", input, **attributes)[0]

    def max_pool_with_indices(input: Array, **attributes: Any) -> tuple[Array, ...]:
        return tuple(outputs("max_pool", input, **attributes))

    def average_pool(input: Array, **attributes: Any) -> Array:
        return outputs("average_pool", input, **attributes)[0]

    return SimpleNamespace(
        name=name,
        version=openvino.__version__,
        dtypes=("float32",),
        isolate=True,
        conv=conv,
        conv_transpose=conv_transpose,
        max_pool=max_pool,
        max_pool_with_indices=max_pool_with_indices,
        average_pool=average_pool,
    )


default = _implementation("openvino")
float32 = _implementation("openvino:float32", INFERENCE_PRECISION_HINT="f32")
