"""What the runs so far measured, a line of JSON each in docs/benchmarks-history.jsonl, drawn."""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from textwrap import fill
from typing import Any

from measuring import Row

from convspec.cli.files import write

REPOSITORY = Path(__file__).parents[1]
COLUMNS = 3
# Letters in a line of a panel's title.
TITLE = 60


def processor() -> str:
    """The model of this machine's processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor()


def commit() -> str:
    """What is checked out, marked where files differ from it."""
    run = ["git", "-C", str(REPOSITORY), "describe", "--always", "--dirty", "--exclude=*"]
    return subprocess.run(run, check=True, capture_output=True, text=True).stdout.strip()


def name(row: Row) -> str:
    """What a row is called in every run, whichever layer is the worst in one."""
    what, worst, _ = row.what.partition(": worst")
    return what + worst


def entry(
    rows: Sequence[Row], limits: Sequence[float | None], versions: dict[str, str]
) -> dict[str, Any]:
    """A run as the history keeps it."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
        "commit": commit(),
        "processor": processor(),
        "versions": versions,
        "ratios": {
            name(row): {"ratio": row.ratio, "limit": limit}
            for row, limit in zip(rows, limits, strict=True)
        },
    }


def remember(file: Path, run: dict[str, Any]) -> list[dict[str, Any]]:
    """Add a run to the file, and return all of its runs."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    lines.append(json.dumps(run))
    write(file, "\n".join(lines) + "\n")
    return [json.loads(line) for line in lines]


def picture(runs: Sequence[dict[str, Any]]) -> str:
    """A panel for every ratio that the last run judges, run by run, with its limit.

    Runs on another processor than the last are hollow: a ratio is one machine's as well.
    """
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot

    last = runs[-1]
    judged = [n for n, found in last["ratios"].items() if found["limit"] is not None]
    height = -(-len(judged) // COLUMNS)
    settings = {"svg.hashsalt": "convspec", "svg.fonttype": "none", "font.size": 7}
    with mpl.rc_context(settings):
        figure, panels = pyplot.subplots(
            height, COLUMNS, figsize=(10, 1.7 * height), squeeze=False, layout="constrained"
        )
        for panel in panels.flat[len(judged) :]:
            panel.remove()
        for panel, title in zip(panels.flat, judged, strict=False):
            there = [(at, run) for at, run in enumerate(runs, 1) if title in run["ratios"]]
            found = [run["ratios"][title] for _, run in there]
            places = [at for at, _ in there]
            panel.step(
                places,
                [f["limit"] for f in found],
                where="mid",
                color="C3",
                linestyle="--",
                marker="_",
            )
            panel.plot(places, [f["ratio"] for f in found], color="C0", linewidth=0.8)
            for (at, run), f in zip(there, found, strict=True):
                same = run["processor"] == last["processor"]
                panel.plot(at, f["ratio"], "o", color="C0", mfc="C0" if same else "none", ms=3)
            panel.set_title(fill(title, TITLE), fontsize=6)
            panel.set_ylim(0, 1.1 * max(max(f["ratio"], f["limit"] or 0) for f in found))
            panel.xaxis.get_major_locator().set_params(integer=True)
        text = StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
        pyplot.close(figure)
    return text.getvalue()
