"""What is found, in words: the same on the terminal, in a page and for a CI server."""

from __future__ import annotations

from collections.abc import Iterator

from convspec.oracle.report import Difference, OperationReport, Report

KINDS = {
    "shape": "the result has the wrong shape",
    "dtype": "the result has the wrong dtype",
    "value": "the result has wrong values",
    "accuracy": "the result is off by more than rounding can explain",
    "special": "NaN or infinity does not reach exactly the results it should",
    "gradient": "the gradient is wrong",
    "raises": "a valid call is refused",
    "accepts": "a bad argument is not refused",
    "unstable": "the same call gives different results",
    "mutates": "an argument is changed",
    "layout": "the result depends on how the arguments lie in memory or are batched",
    "crash": "the process crashes",
    "hang": "the call does not end",
}
DIAGNOSED = ("shape", "value", "special", "gradient")
VERDICTS = {
    "conforms": "conforms to the spec in everything it offers",
    "differs": "differs from the spec",
    "crashed": "crashed",
    "unsupported": "offers nothing that could be judged",
}


def verdict(report: Report) -> str:
    """The target with its version, and what was found about it.

    >>> verdict(Report("mine.py", "1.0", "3.13.0", "quick", 0, 1.0, {}))
    'mine.py 1.0 offers nothing that could be judged'
    """
    name = " ".join(str(word) for word in (report.target, report.version) if word)
    return f"{name} {VERDICTS[report.status]}"


def circumstances(report: Report) -> str:
    """With what, and how, a check was made.

    >>> circumstances(Report("m", None, "3.13.0", "quick", 0, 1.25, {}, "2.3.0", "0.1.0"))
    'Python 3.13.0, NumPy 2.3.0, convspec 0.1.0, level quick, seed 0, 1.2 s'
    """
    return (
        f"Python {report.python}, NumPy {report.numpy}, convspec {report.convspec}, "
        f"level {report.level}, seed {report.seed}, {report.seconds:.1f} s"
    )


def once(report: Report) -> list[tuple[str, Difference, str]]:
    """Every difference with its operation and dtypes; what only the dtype tells apart, once."""
    found: dict[tuple[str, str], list[Difference]] = {}
    for operation in report.operations.values():
        for difference in operation.differences:
            found.setdefault((operation.name, difference.id), []).append(difference)
    return [
        (name, alike[0], " and ".join(d.dtype for d in alike if d.dtype))
        for (name, _), alike in found.items()
    ]


def offered(operation: OperationReport) -> bool:
    """Whether the implementation has a function of this name that was called or crashed."""
    return bool(operation.judged or operation.unsupported or operation.crashed)


def _conventions(operation: OperationReport) -> list[str]:
    return [f"{name}: {value}" for name, value in operation.conventions.items()]


def _unsupported(operation: OperationReport) -> list[str]:
    rule = operation.unsupported_rule
    return [rule] if operation.unsupported and rule else []


def _notes(operation: OperationReport) -> list[str]:
    return list(operation.notes)


SECTIONS = {
    "Not supported, and so not judged": _unsupported,
    "What it does where conventions differ": _conventions,
    "How far the check went": _notes,
}


def sections(report: Report) -> Iterator[tuple[str, list[tuple[str, list[str]]]]]:
    """What is said beside the differences, by title: names of operations, and lines about them.

    Every line comes once, under the operations of which it is said.
    """
    for title, said in SECTIONS.items():
        told: dict[str, list[str]] = {}
        for operation in report.operations.values():
            for line in said(operation):
                told.setdefault(line, []).append(operation.name)
        grouped: dict[str, list[str]] = {}
        for line, operations in told.items():
            grouped.setdefault(", ".join(operations), []).append(line)
        if grouped:
            yield title, list(grouped.items())


def explained(difference: Difference, dtypes: str) -> list[str]:
    """What is known about a difference, in sentences."""
    count = "one case fails" if difference.cases == 1 else f"{difference.cases} cases fail"
    where = f"In {dtypes}, {count}" if dtypes else count.capitalize()
    lines = [f"{where} like this. {difference.message}".rstrip()]
    if difference.diagnosis:
        lines.append(f"It behaves like: {difference.diagnosis}. {_sentence(difference.diagnosis)}")
        if difference.ties:
            lines.append(f"These explain it as well: {', '.join(difference.ties)}.")
        if difference.rule:
            lines.append(f"Not everywhere: {difference.rule}.")
    elif difference.rule:
        lines.append(f"No known mistake explains it. Where it fails: {difference.rule}.")
    elif difference.kind in DIAGNOSED:
        lines.append("No known mistake explains it.")
    return lines


def _sentence(name: str) -> str:
    from convspec.oracle.deviations import DEVIATIONS

    return DEVIATIONS[name].sentence if name in DEVIATIONS else ""
