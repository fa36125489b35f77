"""State: what a call leaves behind, and what the next one finds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from convspec.arguments import Array
from convspec.oracle.deviations.edits import (
    CONVOLUTIONS,
    SLIDING,
    each,
    fitted,
    flipped,
    gradients,
    output_shape,
    replacing,
)
from convspec.oracle.deviations.families import (
    BACKWARD,
    ELEMENTWISE,
    FORWARD,
    LAYERS,
    SCALAR,
    WORDS,
    attributes,
    having,
    parts,
    reading,
    taking,
    with_layers,
)
from convspec.oracle.deviations.record import Deviation, Edit, Function

Memory = dict[Any, Any]


def remembering(function: Callable[..., Any]) -> Edit:
    """The edit whose function is `function(right, memory, **arguments)`, with a memory that is
    empty at first and lasts from call to call.
    """

    def edit(spec: Any, operation: str) -> Function:
        memory: Memory = {}

        def with_memory(right: Function, **arguments: Any) -> Any:
            return function(right, memory, operation=operation, **arguments)

        return replacing(with_memory)(spec, operation)

    return edit


def shapes(arguments: dict[str, Any]) -> tuple[Any, ...]:
    """The shapes and dtypes of the arrays of a call: what a hurried cache goes by."""
    return tuple(
        (name, part.shape, str(part.dtype))
        for name, value in arguments.items()
        for part in parts(value)
        if isinstance(part, numpy.ndarray)
    )


def _attributes(arguments: dict[str, Any], *but: str) -> tuple[Any, ...]:
    return tuple(
        (name, value)
        for name, value in sorted(arguments.items())
        if not isinstance(value, numpy.ndarray | list) and name not in but
    )


def key_without(attribute: str) -> Edit:
    """A plan cached under a key that lacks one attribute: the first call's value is used again."""

    def function(right: Function, memory: Memory, operation: str, **arguments: Any) -> Any:
        due = right(**arguments)  # a bad argument is refused before any plan is looked up
        # What is planned is the forward call, and the cotangent's shape no part of it.
        given = {name: value for name, value in arguments.items() if name != "cotangent"}
        key = (shapes(given), _attributes(arguments, attribute))
        planned = {**arguments, attribute: memory.setdefault(key, arguments[attribute])}
        if planned[attribute] == arguments[attribute]:
            return due
        if "cotangent" not in arguments:
            return fitted(right(**planned), output_shape(operation, arguments))
        cotangent = numpy.asarray(arguments["cotangent"])
        return right(
            **{**planned, "cotangent": fitted(cotangent, output_shape(operation, planned))}
        )

    return remembering(function)


def _flipped_in_place(right: Function, weight: Any, **arguments: Any) -> Any:
    weight[...] = flipped(weight).copy()
    return right(weight=flipped(weight), **arguments)


def _averaged_in_place(right: Function, input: Any, kernel_size: Any, **arguments: Any) -> Any:
    output = right(input=input, kernel_size=kernel_size, **arguments)
    numpy.divide(input, int(numpy.prod(kernel_size)), out=input, casting="unsafe")
    return output


def _kept(outputs: Any) -> Any:
    """Outputs that are no views of an operand."""
    return each(outputs, numpy.array)


def cleared(operand: str) -> Edit:
    """An operand used as a buffer, which holds zeros afterwards."""

    def function(right: Function, **arguments: Any) -> Any:
        outputs = _kept(right(**arguments))
        for part in parts(arguments.get(operand, [])):
            if isinstance(part, numpy.ndarray):  # a number is a scalar of NumPy, and no buffer
                part[...] = 0
        return outputs

    return replacing(function)


def _in_place(right: Function, **arguments: Any) -> Any:
    """The result written over the first operand."""
    first = next(iter(arguments.values()))
    outputs = _kept(right(**arguments))
    first[...] = outputs[0] if isinstance(outputs, tuple) else outputs
    return outputs


def _stale_for_empty_batch(
    right: Function, memory: Memory, operation: str, **arguments: Any
) -> Any:
    first = next(iter(arguments.values()))
    if len(first) or "last" not in memory:
        memory["last"] = right(**arguments)
    return memory["last"]


def packed(operand: str) -> Edit:
    """An operand packed when the shapes of a call are new, and otherwise taken from the first call
    of those shapes.
    """

    def function(right: Function, memory: Memory, operation: str, **arguments: Any) -> Any:
        given = arguments[operand]
        first = memory.setdefault(shapes(arguments), [*map(numpy.array, parts(given))])
        return right(**{**arguments, operand: first if isinstance(given, list) else first[0]})

    return remembering(function)


def _added_to_the_previous(
    right: Function, memory: Memory, operation: str, **arguments: Any
) -> Any:
    fresh = tuple(numpy.array(d) for d in right(**arguments))
    key = (shapes(arguments), _attributes(arguments))
    if key in memory:
        fresh = tuple(d + before for d, before in zip(fresh, memory[key], strict=True))
    memory[key] = fresh
    return each(fresh, numpy.array)


def _first_result_again(right: Function, memory: Memory, operation: str, **arguments: Any) -> Any:
    due = right(**arguments)  # a bad argument is refused before any result is looked up
    return each(memory.setdefault((shapes(arguments), _attributes(arguments)), due), numpy.array)


def _into_one_buffer(right: Function, memory: Memory, operation: str, **arguments: Any) -> Any:
    places = iter(range(len(arguments)))

    def buffered(output: Array) -> Array:
        key = (next(places), output.shape, str(output.dtype))
        buffer: Array = memory.setdefault(key, numpy.empty_like(output))
        buffer[...] = output
        return buffer

    return each(right(**arguments), buffered)


def _race(right: Function, memory: Memory, operation: str, **arguments: Any) -> Any:
    outputs = _kept(right(**arguments))
    memory["calls"] = memory.get("calls", 0) + 1
    first = outputs[0] if isinstance(outputs, tuple) else outputs
    if memory["calls"] % 5 == 0 and first.size:
        first.flat[-1] = 0
    return outputs


# What the operations with a batch take its items from; a mean over none is not defined.
WITH_A_BATCH = tuple(name for name in FORWARD if name not in ("convolve", "correlate", *SCALAR))
PACKED = ("weight", "depthwise", "pointwise", "factors")
FOLDED = ("mean", "variance", "scale", "shift")
IN_PLACE = (*ELEMENTWISE, "softmax", "local_response_normalization")

ONE_OUTPUT = (*CONVOLUTIONS, "max_pool", "average_pool")
CLEARED = {"cotangent": gradients(SLIDING)}
# The convolutions and pools of which each attribute is told, besides all layers that have it.
PLANNED: dict[str, tuple[str, ...]] = {
    "dilation": ("conv",),
    "padding": CONVOLUTIONS,
    "count_include_pad": ("average_pool",),
}

KEYS = {"count_include_pad": "divisor"}
KEYS_SHIPPED = {
    "dilation": ("uxlfoundation/oneDNN#1727",),
    "count_include_pad": ("kulinseth/pytorch#273",),
}


EARLIER = "earlier result returned again"
STATE = (
    Deviation(
        name="kernel flipped in place",
        operations=("conv",),
        kind="mistake",
        sentence="Flips the caller's weight in place: odd calls are right, even calls wrong.",
        hidden="each weight used once, and never looked at again",
        edit=replacing(_flipped_in_place),
        threads=("FluxML/NNlib.jl#114",),
    ),
    Deviation(
        name="input divided in place",
        operations=("average_pool",),
        kind="mistake",
        sentence="Divides the caller's input by the kernel's size in place before summing.",
        hidden="each input used once, and never looked at again",
        edit=replacing(_averaged_in_place),
    ),
    *(
        Deviation(
            name=f"{word} cleared after use",
            operations=with_layers(CLEARED.get(operand, ()), having(operand)),
            kind="mistake",
            sentence=f"Reuses the caller's {word} as a buffer and leaves zeros in it.",
            hidden=f"{plural} used once, and never looked at again",
            edit=cleared(operand),
        )
        for operand, (word, plural) in WORDS.items()
        if operand in CLEARED or operand not in ("f", "g", "bias")
    ),
    Deviation(
        name="output written over the input",
        operations=IN_PLACE,
        kind="mistake",
        sentence="Computes in place: the caller's input holds the output afterwards.",
        hidden="inputs used once, and never looked at again",
        edit=replacing(_in_place),
    ),
    Deviation(
        name="gradient written over the cotangent",
        operations=gradients(IN_PLACE),
        kind="mistake",
        sentence="Computes in place: the caller's cotangent holds the gradient afterwards.",
        hidden="cotangents used once, and never looked at again",
        edit=replacing(_in_place),
    ),
    Deviation(
        name="stale output for an empty batch",
        operations=with_layers(SLIDING, (*WITH_A_BATCH, *gradients(WITH_A_BATCH))),
        kind="mistake",
        sentence="Returns early for an empty batch, with the previous call's output.",
        hidden="batches that are not empty",
        edit=remembering(_stale_for_empty_batch),
        threads=("pytorch/pytorch#24341",),
    ),
    *(
        Deviation(
            name=f"cache key lacks the {KEYS.get(attribute, attribute)}",
            operations=with_layers(PLANNED.get(attribute, ()), taking(attribute)),
            kind="mistake",
            sentence="Plans a call once for each set of shapes and other attributes, with the "
            f"first {attribute} it meets.",
            hidden=f"single calls, or one {attribute} for each set of shapes",
            edit=key_without(attribute),
            threads=KEYS_SHIPPED.get(attribute, ()),
        )
        for attribute in attributes()
        if attribute in PLANNED or set(taking(attribute)) & set(LAYERS)
    ),
    *(
        Deviation(
            name=f"{WORDS[operand][1]} packed once for each shape",
            operations=with_layers(CONVOLUTIONS if operand == "weight" else (), reading(operand)),
            kind="mistake",
            sentence=f"Repacks the {WORDS[operand][0]} when the shapes of a call are new, and "
            "otherwise uses the first one again.",
            hidden=f"single calls, or the same {WORDS[operand][0]} for each shape",
            edit=packed(operand),
        )
        for operand in PACKED
    ),
    *(
        Deviation(
            name=f"{operand} folded once for each shape",
            operations=reading(operand),
            kind="mistake",
            sentence=f"Folds the {operand} into a factor and a summand for each channel when the "
            "shapes of a call are new, and otherwise uses the first one again.",
            hidden=f"single calls, or the same {operand} for each shape",
            edit=packed(operand),
        )
        for operand in FOLDED
    ),
    Deviation(
        name="gradient added to the previous call's",
        operations=with_layers(gradients(SLIDING), BACKWARD),
        kind="mistake",
        sentence="Accumulates into a buffer that is not cleared between calls.",
        hidden="single calls",
        edit=remembering(_added_to_the_previous),
    ),
    Deviation(
        name=EARLIER,
        operations=("conv", "conv_transpose", "max_pool", "average_pool"),
        kind="mistake",
        sentence="Keeps each result by the shapes and attributes of its call, and returns it again "
        "for other numbers.",
        hidden="single calls, or one set of numbers for each shape",
        edit=remembering(_first_result_again),
    ),
    Deviation(
        name="output overwritten by the next call",
        operations=with_layers(ONE_OUTPUT),
        kind="mistake",
        sentence="Returns the same buffer for every output of a shape.",
        hidden="outputs that are used before the next call",
        edit=remembering(_into_one_buffer),
    ),
    Deviation(
        name="last element lost now and then",
        operations=with_layers(ONE_OUTPUT),
        kind="mistake",
        sentence="A race between threads leaves the last output element at zero in some calls.",
        hidden="most calls",
        edit=remembering(_race),
    ),
)
