"""ONNX's and OpenVINO's words for a configuration; ONNX Runtime and OpenCV read ONNX's."""

from __future__ import annotations

from typing import Any

from convspec.adapters.words import NotSaidError, Words, call_words, ones, rank_of
from convspec.case import Case

_OPERATORS = {
    "conv": "Conv",
    "conv_transpose": "ConvTranspose",
    "max_pool": "MaxPool",
    "max_pool_with_indices": "MaxPool",
    "average_pool": "AveragePool",
}


def _onnx(case: Case) -> str:
    given = case.attributes
    zeros = (0,) * rank_of(case)
    pads = [low for low, _ in given["padding"]] + [high for _, high in given["padding"]]
    settings: dict[str, Any] = {
        "kernel_shape": given.get("kernel_size"),
        "strides": given["stride"] if given["stride"] != ones(case) else None,
        "pads": pads if any(pads) else None,
        "dilations": given["dilation"] if given["dilation"] != ones(case) else None,
        "group": given["groups"] if given.get("groups", 1) != 1 else None,
        "output_padding": _unless_in(given, "output_padding", zeros),
        "ceil_mode": int(given["ceil_mode"]) or None if "ceil_mode" in given else None,
        "count_include_pad": int(given.get("count_include_pad", 0)) or None,
    }
    told = ", ".join(f"{key} = {_written(value)}" for key, value in settings.items() if value)
    node = _OPERATORS[case.operation] + (f" <{told}>" if told else "")
    call = f"{node} ({', '.join(case.operands)})"
    if case.operation.endswith("indices"):
        return f"y, indices = {call}  # indices count through all items and channels"
    return f"y = {call}"


def _unless_in(given: dict[str, Any], name: str, usual: Any) -> Any:
    value = given.get(name, usual)
    return None if value == usual else value


def _written(value: Any) -> str:
    return str(list(value)) if isinstance(value, tuple | list) else str(value)


def _window(case: Case) -> dict[str, Any]:
    given = case.attributes
    return {
        "strides": list(given["stride"]),
        "pads_begin": [low for low, _ in given["padding"]],
        "pads_end": [high for _, high in given["padding"]],
        "dilations": list(given["dilation"]),
    }


def _openvino_conv(case: Case) -> str:
    return _openvino_product(case, "convolution", _window(case))


def _openvino_conv_transpose(case: Case) -> str:
    extra = list(case.attributes["output_padding"])
    settings = {**_window(case), "output_padding": extra, "auto_pad": "explicit"}
    return _openvino_product(case, "convolution_backprop_data", settings)


def _openvino_product(case: Case, name: str, settings: dict[str, Any]) -> str:
    groups, weight = case.attributes["groups"], "weight"
    if groups != 1:
        first, *rest = case.operands["weight"].shape
        shape = [groups, first // groups, *rest]
        weight = f"opset16.reshape(weight, {shape}, special_zero=False)"
        name = f"group_{name}"
    call = call_words(f"opset16.{name}", ["input", weight], settings)
    if "bias" not in case.operands:
        return call
    along = [1, case.operands["bias"].size, *ones(case)]
    return f"opset16.add({call}, opset16.reshape(bias, {along}, special_zero=False))"


def _openvino_pool(case: Case) -> str:
    given, average = case.attributes, case.operation == "average_pool"
    settings = {
        **_window(case),
        "kernel_shape": list(given["kernel_size"]),
        "rounding_type": "ceil_torch" if given["ceil_mode"] else "floor",
    }
    if not average:
        return call_words("opset16.max_pool", ["input"], {**settings, "axis": 2})
    if not given["count_include_pad"] and any(
        max(pair) >= size for pair, size in zip(given["padding"], given["kernel_size"], strict=True)
    ):
        raise NotSaidError("padding that is not counted must be less than the kernel")
    settings["exclude_pad"] = not given["count_include_pad"]
    return call_words("opset16.avg_pool", ["input"], settings)


WORDS: dict[str, dict[str, Words]] = {
    "ONNX": dict.fromkeys(_OPERATORS, _onnx),
    "OpenVINO": {
        "conv": _openvino_conv,
        "conv_transpose": _openvino_conv_transpose,
        "max_pool": _openvino_pool,
        "max_pool_with_indices": _openvino_pool,
        "average_pool": _openvino_pool,
    },
}
