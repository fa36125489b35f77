"""The rows that are shipped: each means what was seen of its package, and nothing else."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

from atlas import reports
from atlas.targets import TARGETS, file_name
from convspec.case import Case, forward_name, normalised
from convspec.oracle.known import Known, matches, read
from convspec.oracle.recorded.stored import read_report
from convspec.oracle.report import Difference

FOLDER = reports.ROOT / "convspec" / "adapters" / "known"
FILES = sorted(path.stem for path in FOLDER.iterdir())
REPORTED = [name for name in reports.kept() if TARGETS[name].known]
# A message of each kind about something that nobody has seen.
OTHERWISE = {
    "value": "the output is 0.25 instead of 7.0 at (0, 0, 0), and wrong at 1 of 9 places",
    "special": "the output is nan instead of 7.0 at (0, 0, 0), and wrong at 1 of 9 places",
    "gradient": "output 1 is 0.25 instead of 7.0 at (0, 0, 0), and wrong at 1 of 9 places",
    "shape": "the output has shape (1, 1, 9), expected (1, 1, 3)",
    "raises": "RuntimeError: it is Thursday",
    "accepts": "something else was accepted",
    "unstable": "for an empty batch, it is wrong; the same call gave something else when it was "
    "made again",
    "crash": "the process was ended by SIGFPE (in the call)",
    "layout": "input reversed: the output is 0.25 instead of 7.0",
}


def rows(name: str) -> tuple[Known, ...]:
    return read(FOLDER / f"{name}.toml")


def seen(name: str) -> list[Difference]:
    """The differences of a kept report."""
    told = [d for each in reports.kept()[name]["operations"].values() for d in each["differences"]]
    if any(each["dtype"] == "bfloat16" for each in told):
        pytest.importorskip("ml_dtypes", reason="bfloat16 needs ml_dtypes")
    _, stored = read_report(reports.FOLDER / file_name(name))
    assert len(told) == len(stored)
    return [
        Difference(*one[:6], diagnosis=more["diagnosis"], accepted=more["accepted"])
        for one, more in zip(stored, told, strict=True)
    ]


@pytest.mark.parametrize("name", REPORTED)
def test_the_rows_of_a_target_mean_what_its_kept_report_accepts(name: str) -> None:
    known = rows(TARGETS[name].known)
    found = seen(name)
    met = {row: {d.id for d in found if matches(row, d.case.operation, d)} for row in known}
    accepted = {d.id for d in found if d.accepted}
    assert accepted == set().union(*met.values())
    assert [row for row, ids in met.items() if not ids and row.only is None] == []


# Calls with nothing particular: two spatial axes, two channels, finite and positive numbers.
IMAGE = (1, 2, 5, 5)
POOL = ({"input": IMAGE}, {"kernel_size": 2})
PLAIN: dict[str, tuple[dict[str, tuple[int, ...]], dict[str, Any]]] = {
    "conv": ({"input": IMAGE, "weight": (2, 2, 3, 3)}, {}),
    "conv_transpose": ({"input": IMAGE, "weight": (2, 2, 3, 3)}, {}),
    "depthwise_conv": ({"input": IMAGE, "weight": (2, 1, 3, 3)}, {}),
    "convolve": ({"f": (5,), "g": (3,)}, {}),
    "correlate": ({"f": (5,), "g": (3,)}, {}),
    **dict.fromkeys(("max_pool", "max_pool_with_indices", "average_pool", "lp_pool"), POOL),
    "adaptive_max_pool": ({"input": IMAGE}, {"output_size": 2}),
    "adaptive_average_pool": ({"input": IMAGE}, {"output_size": 2}),
    "max_unpool": ({"values": (1, 1, 2, 2), "indices": (1, 1, 2, 2)}, {"output_size": (4, 4)}),
    "upsample": ({"input": IMAGE}, {"scale": 2, "kind": "nearest"}),
    "local_response_normalization": (
        {"input": IMAGE},
        {"size": 3, "alpha": 1.0, "beta": 1.0, "k": 1.0},
    ),
}


def plain(operation: str) -> Case:
    shapes, attributes = PLAIN[forward_name(operation)]
    operands = {name: numpy.ones(shape, "float32") for name, shape in shapes.items()}
    return Case(operation, operands, normalised(forward_name(operation), shapes, attributes))


@pytest.mark.parametrize("name", FILES)
def test_a_row_does_not_accept_another_difference_of_its_kind(name: str) -> None:
    known = rows(name)
    for row in known:
        other = Difference("1", row.kind, plain(row.operation), (), (), OTHERWISE[row.kind])
        assert not any(matches(each, row.operation, other) for each in known), row
