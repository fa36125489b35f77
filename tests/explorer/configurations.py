"""Random configurations of the explorer: the fragment of its address, and a case of the spec."""

import random
from itertools import islice

import numpy

from convspec.case import Case
from convspec.operations import OPERATIONS

# The page's own limits, and less where the picture would only become larger.
LARGEST = {"size": 7, "kernel": 4, "stride": 3, "dilation": 3, "low": 3, "high": 3}
OTHERS = ("output_padding",)


def configurations(operation, seed, count):
    """Valid configurations, each with its case: draws that the spec refuses are left out."""
    rng = random.Random(f"{operation} {seed}")
    return list(islice(filter(is_valid, draws(operation, rng)), count))


def draws(operation, rng):
    while True:
        yield drawn(operation, rng)


def drawn(operation, rng):
    rank = rng.choice((1, 2, 2))
    per_axis = {
        "size": [rng.randint(1, LARGEST["size"]) for _ in range(rank)],
        "kernel": [rng.randint(1, LARGEST["kernel"]) for _ in range(rank)],
        "stride": [rng.choice((1, 1, 2, LARGEST["stride"])) for _ in range(rank)],
        "low": [rng.choice((0, 0, 1, rng.randint(0, LARGEST["low"]))) for _ in range(rank)],
        "dilation": [rng.choice((1, 1, 2, LARGEST["dilation"])) for _ in range(rank)],
        "output_padding": [0] * rank,
    }
    per_axis["high"] = (
        per_axis["low"]
        if rng.random() < 0.4
        else [rng.choice((0, 1, rng.randint(0, LARGEST["high"]))) for _ in range(rank)]
    )
    if operation == "conv_transpose":
        per_axis["output_padding"] = [rng.choice((0, 0, 1, 2)) for _ in range(rank)]
    channels = {
        "groups": rng.choice((1, 1, 2, 3)),
        "inputs": rng.randint(1, 2),
        "outputs": rng.randint(1, 2),
    }
    flags = {"ceil_mode": rng.random() < 0.5, "count_include_pad": rng.random() < 0.5}
    operands = operands_of(operation, rng, per_axis, channels)
    chosen = {**per_axis, **channels, **flags}
    return fragment(operation, chosen, operands), case(operation, chosen, operands)


def operands_of(operation, rng, per_axis, channels):
    shapes = shapes_of(operation, per_axis, channels)
    return {name: numbers(rng, shape) for name, shape in shapes.items()}


def shapes_of(operation, per_axis, channels):
    groups, inputs, outputs = (channels[name] for name in ("groups", "inputs", "outputs"))
    if operation.endswith("pool"):
        return {"input": (1, inputs, *per_axis["size"])}
    leading = {
        "conv": (groups * outputs, inputs),
        "conv_transpose": (groups * inputs, outputs),
    }[operation]
    return {
        "input": (1, groups * inputs, *per_axis["size"]),
        "weight": (*leading, *per_axis["kernel"]),
        "bias": (groups * outputs,),
    }


def numbers(rng, shape):
    flat = [float(rng.randint(-9, 9)) for _ in range(int(numpy.prod(shape)))]
    return numpy.array(flat, "float32").reshape(shape)


def fragment(operation, chosen, operands):
    def joined(values):
        return ",".join(str(int(value)) for value in values)

    words = [
        f"{name}={joined(value) if isinstance(value, list) else int(value)}"
        for name, value in chosen.items()
    ]
    arrays = [
        f"{letter}={joined(array.flat)}"
        for letter, array in zip("xwb", operands.values(), strict=False)
    ]
    return "&".join([operation, *words, *arrays])


def case(operation, chosen, operands):
    attributes = {
        "stride": tuple(chosen["stride"]),
        "padding": tuple(zip(chosen["low"], chosen["high"], strict=True)),
        "dilation": tuple(chosen["dilation"]),
    }
    if operation.endswith("pool"):
        attributes |= {"kernel_size": tuple(chosen["kernel"]), "ceil_mode": chosen["ceil_mode"]}
    else:
        attributes["groups"] = chosen["groups"]
    if operation == "average_pool":
        attributes["count_include_pad"] = chosen["count_include_pad"]
    if operation == "conv_transpose":
        attributes["output_padding"] = tuple(chosen["output_padding"])
    return Case(operation, operands, attributes)


def expected(case):
    """What the definition computes."""
    definition = OPERATIONS[case.operation].definition
    return definition(*case.operands.values(), **case.attributes)


def is_valid(pair):
    try:
        expected(pair[1])
    except ValueError:
        return False
    return True


def case_of(text):
    """The case that a whole fragment of an address stands for, and the index looked at."""
    operation, *words = text.split("&")
    said = dict(word.split("=") for word in words)
    whole = {name: [int(n) for n in said[name].split(",")] for name in (*LARGEST, *OTHERS)}
    chosen = {**whole, **{name: int(said[name]) for name in ("groups", "inputs", "outputs")}}
    chosen |= {name: bool(int(said[name])) for name in ("ceil_mode", "count_include_pad")}
    shapes = shapes_of(operation, chosen, chosen)
    operands = {
        name: numpy.array([float(n) for n in said[letter].split(",")], "float32").reshape(shape)
        for letter, (name, shape) in zip("xwb", shapes.items(), strict=False)
    }
    at = (0, *(int(n) for n in said["at"].split(",")))
    return case(operation, chosen, operands), at
