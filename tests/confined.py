"""Mistakes confined to a corner of the geometry space: does `check` find those as well?

A mistake of the catalogue shows wherever it can.  Here each is let loose in a random corner alone
and the implementation is right everywhere else: where one attribute has one value, where a number
of channels leaves one remainder, or where two such features meet.  `python -m tests.confined`
samples corners in which the mistake really shows, checks each at `standard`, prints the survivors,
and exits 1 if fewer than 95 % are found.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from random import Random
from typing import Any, NamedTuple

import numpy

import convspec.fast
from convspec.case import Case, forward_name
from convspec.oracle.deviations import DEVIATIONS
from convspec.oracle.deviations.edits import only
from convspec.oracle.deviations.fast_paths import FAST_PATHS
from convspec.oracle.deviations.geometry import GEOMETRY
from convspec.oracle.deviations.gradients import GRADIENTS
from convspec.oracle.deviations.groups import GROUPS
from convspec.oracle.deviations.indices import PLACES
from convspec.oracle.deviations.last_window import LAST_WINDOW
from convspec.oracle.deviations.orientation import ORIENTATION
from convspec.oracle.deviations.pooling import POOLING
from convspec.oracle.deviations.record import Function
from convspec.oracle.deviations.signal import SIGNAL
from convspec.oracle.deviations.small_cases import small_cases
from convspec.oracle.deviations.transposed import TRANSPOSED_CONVOLUTION
from convspec.oracle.deviations.walks import WALKS
from convspec.oracle.explanation.replay import agree, replay, right, rounding_bounds
from convspec.oracle.trials.geometries import RECIPES
from tests.planting import is_open, seen

REQUIRED_SHARE = 0.95
CANDIDATES = 6000
TRIED = 150
# Mistakes of arithmetic on finite data: those of state, layout, rounding, special values and
# validation have no geometry to be confined to.
THEMES = (
    ORIENTATION,
    GEOMETRY,
    WALKS,
    GROUPS,
    FAST_PATHS,
    TRANSPOSED_CONVOLUTION,
    LAST_WINDOW,
    POOLING,
    PLACES,
    GRADIENTS,
    SIGNAL,
)
PAIRS = [
    (deviation.name, operation)
    for theme in THEMES
    for deviation in theme
    if not is_open(deviation)
    for operation in deviation.operations
    if forward_name(operation) not in RECIPES  # whose calls have other features than these
]
Guard = Callable[..., bool]


class Corner(NamedTuple):
    """A part of the geometry space: which calls lie in it, and the same in words."""

    text: str
    holds: Guard


def axis_values(name: str, axis: int, **arguments: Any) -> int | None:
    """One feature of one spatial axis of a call; None where it has no such axis or feature."""
    first = arguments["f"] if "f" in arguments else arguments["input"]
    sizes = first.shape if "f" in arguments else first.shape[2:]
    if axis >= len(sizes):
        return None
    if name == "size":
        return int(sizes[axis])
    if name == "kernel":
        kernel = arguments.get("kernel_size")
        if "g" in arguments:
            kernel = arguments["g"].shape
        return int((arguments["weight"].shape[2:] if kernel is None else kernel)[axis])
    if name in ("low", "high"):
        return int(arguments["padding"][axis][name == "high"])
    return int(arguments[name][axis])


AXIS_FEATURES: dict[str, Sequence[int]] = {
    "size": range(1, 9),
    "kernel": range(1, 5),
    "stride": range(1, 4),
    "dilation": range(1, 4),
    "low": range(3),
    "high": range(3),
}
FLAGS = {"ceil_mode": (False, True), "count_include_pad": (False, True)}
MODES = ("full", "same", "valid")
REMAINDERS = (2, 3, 4)


def axis_corner(operation: str, source: Random) -> Corner:
    """The calls in which one axis has one value of one feature."""
    signal = "volve" in operation or "correlate" in operation
    names = ["size", "kernel"] if signal else list(AXIS_FEATURES)
    if "transpose" in operation:
        names.append("output_padding")
    name, axis = source.choice(names), source.choice((0, 0, 1, 2))
    value = source.choice(AXIS_FEATURES.get(name, range(3)))
    return Corner(
        f"{name} {value} on axis {axis}",
        lambda **arguments: axis_values(name, axis, **arguments) == value,
    )


def call_corner(operation: str, source: Random) -> Corner:
    """The calls in which one attribute of the whole call has one value."""
    if "volve" in operation or "correlate" in operation:
        mode = source.choice(MODES)
        return Corner(f"mode {mode}", lambda **arguments: arguments["mode"] == mode)
    if "pool" in operation:
        names = [*FLAGS] if operation.startswith("average") else ["ceil_mode"]
        name = source.choice(names)
        value = source.choice(FLAGS[name])
        return Corner(f"{name} {value}", lambda **arguments: arguments[name] == value)
    groups = source.choice((1, 2, 3))
    return Corner(f"groups {groups}", lambda **arguments: arguments["groups"] == groups)


def channel_corner(operation: str, source: Random) -> Corner:
    """The calls whose number of channels leaves one remainder."""
    if "volve" in operation or "correlate" in operation:
        return axis_corner(operation, source)
    operand = source.choice(("input", "weight")) if "pool" not in operation else "input"
    axis = 0 if operand == "weight" else 1
    divisor = source.choice(REMAINDERS)
    remainder = source.randrange(divisor)
    return Corner(
        f"{operand}.shape[{axis}] % {divisor} = {remainder}",
        lambda **arguments: arguments[operand].shape[axis] % divisor == remainder,
    )


FEATURES = (axis_corner, axis_corner, call_corner, channel_corner)


def corner(operation: str, source: Random) -> Corner:
    """One value of one attribute, one channel remainder, or two of those at once."""
    first = source.choice(FEATURES)(operation, source)
    if source.random() < 0.5:
        return first
    second = source.choice(FEATURES)(operation, source)
    return Corner(
        f"{first.text} and {second.text}",
        lambda **arguments: first.holds(**arguments) and second.holds(**arguments),
    )


class Confined(NamedTuple):
    """A mistake, the operation, where it is let loose, and a case in which it shows."""

    name: str
    operation: str
    corner: Corner
    case: Case

    def planted(self) -> Function:
        """The implementation that is wrong in the corner alone."""
        edit = DEVIATIONS[self.name].edit
        return only(self.corner.holds, edit)(convspec.fast, self.operation)


def confined(source: Random) -> Iterator[Confined]:
    """Random mistakes in random corners in which they show."""
    while True:
        name, operation = source.choice(PAIRS)
        where = corner(operation, source)
        case = showing(name, operation, where)
        if case is not None:
            yield Confined(name, operation, where, case)


def showing(name: str, operation: str, where: Corner) -> Case | None:
    """A random case of the corner in which the mistake shows; None where none is found."""
    function = DEVIATIONS[name].edit(convspec.fast, operation)
    for case in [case for case in candidates(operation) if inside(case, where)][:TRIED]:
        if not agree(replay(function, case), right(case), rounding_bounds(case)):
            return case
    return None


@cache
def candidates(operation: str) -> list[Case]:
    """Random calls on finite data that nobody has fitted to the sweep."""
    return [
        case
        for case in small_cases(operation, CANDIDATES, seed=77)
        if all(array.size and numpy.isfinite(array).all() for array in case.operands.values())
        and next(iter(case.operands.values())).dtype == "float64"
    ]


def inside(case: Case, where: Corner) -> bool:
    """Whether a case lies in a corner."""
    return where.holds(**case.operands, **case.attributes)


def main(arguments: Sequence[str] | None = None) -> int:
    """Sample, check, tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--level", default="standard")
    chosen = parser.parse_args(arguments)
    source = confined(Random(chosen.seed))
    killed = 0
    for number in range(chosen.count):
        one = next(source)
        row = seen(one.name, one.operation, chosen.level, one.planted())
        killed += row.killed
        if not row.killed:
            print(f"{number}: {one.name} in {one.operation}, only for {one.corner.text}: SURVIVES")
            print(f"   shows at {described(one.case)}", flush=True)
    share = killed / chosen.count
    print(f"{killed} of {chosen.count} confined mistakes killed at {chosen.level}: {share:.1%}")
    return int(share < REQUIRED_SHARE)


def described(case: Case) -> str:
    """The geometry of a case."""
    shapes = ", ".join(f"{name} {array.shape}" for name, array in case.operands.items())
    return f"{shapes}, {case.attributes}"


if __name__ == "__main__":
    sys.exit(main())
