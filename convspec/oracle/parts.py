"""The parts of an operation's examination, which any number of processes do in any order.

The exhaustive level goes through so many geometries of two axes that one process would be busy with
them long after another had finished everything else.  They are dealt out into parts, as many
whoever does them and each with random data of its own, so that a report does not depend on the
number of processes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce

from convspec.oracle.cases.streams import dealt_out
from convspec.oracle.explanation.differences import MOST_MISTAKES
from convspec.oracle.report import Difference, OperationReport
from convspec.rounding import ACCURACIES

PARTS = 16


def parts_of(operation: str, level: str) -> tuple[str, ...]:
    """What an operation comes to at a level: everything but what is dealt out, then the deals.

    >>> parts_of("conv", "quick"), parts_of("conv", "exhaustive")[-1]
    (('conv',), 'conv.16')
    """
    deals = range(1, PARTS + 1) if dealt_out(operation, level) else ()
    return (operation, *(f"{operation}.{number}" for number in deals))


def part_named(name: str) -> tuple[str, int]:
    """The operation of a part, and its number, 0 for what is not dealt out.

    >>> part_named("conv.16"), part_named("conv_vjp")
    (('conv', 16), ('conv_vjp', 0))
    """
    operation, _, number = name.partition(".")
    return operation, int(number or 0)


def joined(
    operations: Iterable[str], level: str, reports: Mapping[str, OperationReport]
) -> dict[str, OperationReport]:
    """The reports of operations from those of their parts, as far as these are there."""
    found = {}
    for operation in operations:
        there = [reports[name] for name in parts_of(operation, level) if name in reports]
        if there:
            found[operation] = reduce(_together, there)._replace(name=operation)
    return found


def _together(one: OperationReport, other: OperationReport) -> OperationReport:
    classes = [each for each in (one.accuracy, other.accuracy) if each is not None]
    by_dtype = [each.accuracies for each in (one, other)]
    return one._replace(
        judged=one.judged + other.judged,
        unsupported=one.unsupported + other.unsupported,
        unsupported_rule=one.unsupported_rule or other.unsupported_rule,
        accuracy=max(classes, key=ACCURACIES.index, default=None),
        accuracies={
            dtype: max((seen[dtype] for seen in by_dtype if dtype in seen), key=ACCURACIES.index)
            for dtype in {**by_dtype[0], **by_dtype[1]}
        },
        differences=tuple(_few(one.differences, other.differences)),
        notes=tuple(dict.fromkeys((*one.notes, *other.notes))),
        crashed=one.crashed or other.crashed,
        seconds=one.seconds + other.seconds,
        seconds_inside=one.seconds_inside + other.seconds_inside,
    )


def merged(
    found: Iterable[Difference], more: Iterable[Difference], *, other_cases: bool = False
) -> list[Difference]:
    """Differences of several dtypes, the same one listed once with every dtype it was seen in.

    What is seen again in the same dtype has more cases only where these are `other_cases`.
    """
    together = {_sameness(difference): difference for difference in found}
    for difference in more:
        known = together.get(_sameness(difference))
        if known is None:
            together[_sameness(difference)] = difference
            continue
        dtypes = list(dict.fromkeys([*known.dtype.split(", "), *difference.dtype.split(", ")]))
        if other_cases or dtypes != known.dtype.split(", "):
            together[_sameness(difference)] = known._replace(
                dtype=", ".join(dtypes), cases=known.cases + difference.cases
            )
    return list(together.values())


def _sameness(difference: Difference) -> tuple[str, str]:
    return difference.kind, difference.diagnosis or difference.id


def _few(before: Iterable[Difference], more: Iterable[Difference]) -> list[Difference]:
    """Differences of two parts: those of the first, those with a name, and a few others a kind."""
    kept: list[Difference] = []
    old = {_sameness(difference) for difference in before}
    for difference in merged(before, more, other_cases=True):
        alike = sum(each.kind == difference.kind and each.diagnosis is None for each in kept)
        if _sameness(difference) in old or difference.diagnosis or alike < MOST_MISTAKES:
            kept.append(difference)
    return kept
