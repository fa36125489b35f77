"""Recording what a PyTorch network computes, for `convspec certify`.

    from convspec.adapters.torch_recording import record

    record(model.eval(), images, "recording")

Forward hooks on the modules that are layers copy what goes in and what comes out.  What the network
computes without a module of its own (`x + y`, `torch.cat`) no hook sees.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from torch import nn

from convspec.adapters.torch_tensors import as_array
from convspec.case import Case
from convspec.oracle.certificate.layer import Layer
from convspec.oracle.certificate.recording import write_recording

UNSEEN = "what the network computes outside of modules"
Call = tuple[str, dict[str, Any], dict[str, Any]]
_IDENTITIES = (nn.Identity, nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)


def record(model: nn.Module, input: torch.Tensor, directory: str | Path) -> None:
    """Run a network on an input `(N, C, *spatial)` and record its layers in a directory.

    Raises `ValueError` for a network that is training, and `OSError` where the directory cannot be
    written or is not empty.
    """
    if model.training:
        raise ValueError("model is in training mode: must be in evaluation mode, model.eval()")
    layers: list[Layer] = []
    left_out = [UNSEEN]
    with ExitStack() as hooks, torch.no_grad():
        for name, module in model.named_modules():
            if next(module.children(), None) is None and not isinstance(module, _IDENTITIES):
                _hook(hooks, name or type(module).__name__, module, layers, left_out)
        model(input)
    source = f"{type(model).__name__}, PyTorch {torch.__version__}"
    write_recording(Path(directory), layers, source=source, left_out=left_out)


def _hook(
    hooks: ExitStack, name: str, module: nn.Module, layers: list[Layer], left_out: list[str]
) -> None:
    call = next((made for kinds, made in _CALLS if isinstance(module, kinds)), None)
    waiting: list[Any] = []

    def before(_module: Any, arguments: Any) -> None:
        # A copy: the module itself, or a later one, may overwrite it.
        waiting.append(arguments[0].clone() if isinstance(arguments[0], torch.Tensor) else None)

    def after(module: Any, _arguments: Any, output: Any) -> None:
        x = waiting.pop()
        plain = isinstance(x, torch.Tensor) and isinstance(output, torch.Tensor) and x.ndim > 1
        made = call(module, x) if call is not None and plain else None
        if made is None:
            left_out.append(f"{name}: {type(module).__name__}")
            return
        operation, tensors, attributes = made
        operands = {
            operand: as_array(value.detach().clone())
            for operand, value in {"input": x, **tensors}.items()
            if value is not None
        }
        layers.append(Layer(name, Case(operation, operands, attributes), as_array(output.clone())))

    hooks.enter_context(module.register_forward_pre_hook(before))
    hooks.enter_context(module.register_forward_hook(after))


def _conv(module: Any, x: Any) -> Call | None:
    if module.padding_mode != "zeros" or x.ndim != module.weight.ndim:
        return None
    padding = module.padding
    if padding == "valid":
        padding = 0
    elif padding == "same":  # with stride 1, the odd one on the high side
        totals = [d * (k - 1) for d, k in zip(module.dilation, module.kernel_size, strict=True)]
        padding = [(total // 2, total - total // 2) for total in totals]
    attributes = {"stride": module.stride, "padding": padding, "dilation": module.dilation}
    if module.transposed:
        attributes["output_padding"] = module.output_padding
    operation = "conv_transpose" if module.transposed else "conv"
    attributes["groups"] = module.groups
    return operation, {"weight": module.weight, "bias": module.bias}, attributes


def _linear(module: Any, x: Any) -> Call | None:
    if x.ndim != 2:
        return None
    return "linear", {"weight": module.weight, "bias": module.bias}, {}


def _max_pool(module: Any, x: Any) -> Call | None:
    if x.ndim == 2:  # one item without its batch axis
        return None
    attributes = {
        "kernel_size": module.kernel_size,
        "stride": module.stride,
        "padding": module.padding,
        "dilation": module.dilation,
        "ceil_mode": module.ceil_mode,
    }
    return "max_pool", {}, attributes


def _average_pool(module: Any, x: Any) -> Call | None:
    if x.ndim == 2 or getattr(module, "divisor_override", None) is not None:
        return None
    attributes = {
        "kernel_size": module.kernel_size,
        "stride": module.stride,
        "padding": module.padding,
        "ceil_mode": module.ceil_mode,
        "count_include_pad": module.count_include_pad,
    }
    return "average_pool", {}, attributes


def _adaptive(operation: str) -> Callable[[Any, Any], Call | None]:
    def call(module: Any, x: Any) -> Call | None:
        size = module.output_size
        sizes = (size,) * (x.ndim - 2) if isinstance(size, int) else tuple(size)
        if x.ndim == 2 or None in sizes:
            return None
        return operation, {}, {"output_size": sizes}

    return call


def _batch_norm(module: Any, _x: Any) -> Call | None:
    if module.running_mean is None or module.weight is None:
        return None
    operands = {
        "mean": module.running_mean,
        "variance": module.running_var,
        "scale": module.weight,
        "shift": module.bias,
    }
    return "batch_norm", operands, {"epsilon": module.eps}


def _elementwise(operation: str) -> Callable[[Any, Any], Call | None]:
    return lambda _module, _x: (operation, {}, {})


_CALLS: tuple[tuple[Any, Callable[[Any, Any], Call | None]], ...] = (
    ((nn.Conv1d, nn.Conv2d, nn.Conv3d), _conv),
    ((nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d), _conv),
    (nn.Linear, _linear),
    ((nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d), _max_pool),
    ((nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d), _average_pool),
    (
        (nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d),
        _adaptive("adaptive_max_pool"),
    ),
    (
        (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d),
        _adaptive("adaptive_average_pool"),
    ),
    ((nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d), _batch_norm),
    (nn.ReLU, _elementwise("relu")),
    (nn.Sigmoid, _elementwise("sigmoid")),
    (nn.Tanh, _elementwise("tanh")),
)
