"""PyTorch's, JAX's and TensorFlow's words for a configuration."""

from __future__ import annotations

from typing import Any

from convspec.adapters.words import (
    NotSaidError,
    Words,
    call_words,
    dimensions,
    one_for_both_sides,
    ones,
    rank_of,
    unless,
)
from convspec.case import Case

_FUNCTIONAL = "torch.nn.functional"


def _operands(case: Case) -> list[str]:
    return list(case.operands)


def _torch_conv(case: Case) -> str:
    given, operands = case.attributes, _operands(case)
    sides = [side for pair in reversed(given["padding"]) for side in pair]
    equal = all(low == high for low, high in given["padding"])
    if not equal:
        operands[0] = f"{_FUNCTIONAL}.pad({operands[0]}, {sides})"
    settings = {
        "stride": unless(given["stride"], ones(case)),
        "padding": tuple(low for low, _ in given["padding"]) if equal and any(sides) else None,
        "dilation": unless(given["dilation"], ones(case)),
        "groups": unless(given["groups"], 1),
    }
    return call_words(f"{_FUNCTIONAL}.conv{dimensions(case)}d", operands, settings)


def _torch_conv_transpose(case: Case) -> str:
    given = case.attributes
    zeros = (0,) * rank_of(case)
    settings = {
        "stride": unless(given["stride"], ones(case)),
        "padding": unless(one_for_both_sides(case), zeros),
        "output_padding": unless(given["output_padding"], zeros),
        "groups": unless(given["groups"], 1),
        "dilation": unless(given["dilation"], ones(case)),
    }
    name = f"{_FUNCTIONAL}.conv_transpose{dimensions(case)}d"
    return call_words(name, _operands(case), settings)


def _torch_pool(case: Case) -> str:
    given, padding = case.attributes, one_for_both_sides(case)
    kernel = given["kernel_size"]
    if any(2 * amount > size for amount, size in zip(padding, kernel, strict=True)):
        raise NotSaidError("a pool is padded by at most half of its kernel")
    settings: dict[str, Any] = {
        "stride": unless(given["stride"], kernel),
        "padding": unless(padding, (0,) * rank_of(case)),
        "ceil_mode": unless(given["ceil_mode"], False),  # noqa: FBT003 - the usual value
    }
    if case.operation == "average_pool":
        if given["dilation"] != ones(case):
            raise NotSaidError("average pools have no dilation")
        settings["count_include_pad"] = given["count_include_pad"]
        name = f"avg_pool{dimensions(case)}d"
    else:
        settings["dilation"] = unless(given["dilation"], ones(case))
        settings["return_indices"] = True if case.operation.endswith("indices") else None
        name = f"max_pool{dimensions(case)}d"
    return call_words(f"{_FUNCTIONAL}.{name}", [*_operands(case), repr(kernel)], settings)


def _biased(case: Case, call: str, channels: str) -> str:
    """A sum with the bias laid along the channels, where there is one."""
    return f"{call} + bias.reshape({channels})" if "bias" in case.operands else call


def _jax_conv(case: Case) -> str:
    given = case.attributes
    settings = {
        "window_strides": given["stride"],
        "padding": given["padding"],
        "rhs_dilation": unless(given["dilation"], ones(case)),
        "feature_group_count": unless(given["groups"], 1),
    }
    call = call_words("jax.lax.conv_general_dilated", ["input", "weight"], settings)
    return _biased(case, call, f"1, -1{', 1' * rank_of(case)}")


def _jax_conv_transpose(case: Case) -> str:
    given = case.attributes
    if given["groups"] != 1:
        raise NotSaidError("jax.lax.conv_transpose has no groups")
    kernel = case.operands["weight"].shape[2:]
    spatial = "DHW"[-dimensions(case) :]
    extents = [d * (k - 1) for d, k in zip(given["dilation"], kernel, strict=True)]
    settings = {
        "strides": given["stride"],
        # The margins of the convolution over the stretched input.
        "padding": [
            (extent - low, extent - high + extra)
            for extent, (low, high), extra in zip(
                extents, given["padding"], given["output_padding"], strict=True
            )
        ],
        "rhs_dilation": unless(given["dilation"], ones(case)),
        "dimension_numbers": (f"NC{spatial}", f"OI{spatial}", f"NC{spatial}"),
        "transpose_kernel": True,
    }
    call = call_words("jax.lax.conv_transpose", ["input", "weight"], settings)
    return _biased(case, call, f"1, -1{', 1' * rank_of(case)}")


def _jax_pool(case: Case) -> str:
    given = case.attributes
    if given["ceil_mode"]:
        raise NotSaidError("jax.lax.reduce_window has no ceil mode")
    kind = "-jax.numpy.inf, jax.lax.max" if case.operation == "max_pool" else "0.0, jax.lax.add"
    window = (
        f"(1, 1, *{given['kernel_size']}), (1, 1, *{given['stride']}), "
        f"((0, 0), (0, 0), *{given['padding']}), window_dilation=(1, 1, *{given['dilation']})"
    )
    call = f"jax.lax.reduce_window(input, {kind}, {window})"
    if case.operation == "max_pool":
        return call
    if given["count_include_pad"]:
        taps = 1
        for size in given["kernel_size"]:
            taps *= size
        return f"{call} / {taps}"
    return f"{call} / jax.lax.reduce_window(jax.numpy.ones_like(input), {kind}, {window})"


def _last(case: Case) -> str:
    rank = dimensions(case)
    return f"tf.transpose(input, {(0, *range(2, rank + 2), 1)})"


def _second(case: Case, call: str) -> str:
    rank = rank_of(case)
    return f"tf.transpose({call}, {(0, rank + 1, *range(1, rank + 1))})"


def _tensorflow_conv(case: Case) -> str:
    given, rank = case.attributes, dimensions(case)
    if given["stride"] != ones(case) and given["dilation"] != ones(case):
        raise NotSaidError("tf.nn.convolution has strides or dilations, not both")
    if given["groups"] != 1:
        raise NotSaidError("groups follow from the channels, and not every CPU kernel has them")
    padded = f"tf.pad({_last(case)}, {[(0, 0), *given['padding'], (0, 0)]})"
    weight = f"tf.transpose(weight, {(*range(2, rank + 2), 1, 0)})"
    settings = {
        "strides": given["stride"],
        "padding": "VALID",
        "dilations": unless(given["dilation"], ones(case)),
    }
    call = call_words("tf.nn.convolution", [padded, weight], settings)
    biased = f"tf.nn.bias_add({call}, bias)" if "bias" in case.operands else call
    return _second(case, biased)


def _tensorflow_pool(case: Case) -> str:
    given, maximum = case.attributes, case.operation == "max_pool"
    if given["ceil_mode"]:
        raise NotSaidError("the pools have no ceil mode")
    padded = any(map(any, given["padding"]))
    if padded and not maximum and not given["count_include_pad"]:
        raise NotSaidError("average pools know no amount of padding, only the word SAME")
    if given["stride"] != ones(case) and given["dilation"] != ones(case):
        raise NotSaidError("tf.nn.pool has strides or dilations, not both")
    outside = "-float('inf')" if maximum else "0.0"
    pads = [(0, 0), *given["padding"], (0, 0)]
    operand = f"tf.pad({_last(case)}, {pads}, constant_values={outside})"
    settings = {
        "strides": given["stride"],
        "padding": "VALID",
        "dilations": unless(given["dilation"], ones(case)),
    }
    kind = repr("MAX" if maximum else "AVG")
    operands = [operand if padded else _last(case), repr(given["kernel_size"]), kind]
    return _second(case, call_words("tf.nn.pool", operands, settings))


WORDS: dict[str, dict[str, Words]] = {
    "PyTorch": {
        "conv": _torch_conv,
        "conv_transpose": _torch_conv_transpose,
        "max_pool": _torch_pool,
        "max_pool_with_indices": _torch_pool,
        "average_pool": _torch_pool,
    },
    "JAX": {
        "conv": _jax_conv,
        "conv_transpose": _jax_conv_transpose,
        "max_pool": _jax_pool,
        "average_pool": _jax_pool,
    },
    "TensorFlow": {
        "conv": _tensorflow_conv,
        "max_pool": _tensorflow_pool,
        "average_pool": _tensorflow_pool,
    },
}
