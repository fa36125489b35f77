"""What a run of `train.py` found, as data and as a page with curves: training.json and .md.

    python examples/digits/page.py docs

draws the page again from the record in that folder.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterator
from importlib.metadata import version
from itertools import pairwise
from math import sqrt
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from convspec.cli.files import write

Course = dict[str, Any]

HEAD = """# Training

The documents go from one dense layer to five convolutional networks that vote, one thing at a
time, on MNIST.  Here is that course in small: on the 1797 digits of 8 by 8 pixels that scikit-learn
ships, of which a third, the same {held_out} in every run and every class in its share, is held out.
Each recipe changes one thing of the one above it and is trained {epochs} epochs, on the fast twins
alone, from each of {seeds} seeds.

*Accuracy* is the mean over the seeds on what is held out, in percent, with the worst and the best.
*Change* is against the recipe above it, seed by seed, with its standard error: a change that is not
a few times as large as that is not known to be one.  One image is {image:.2f} %.  *Voting* are the
networks of all seeds together.  *Seconds* are the processor's, of the slowest seed, on one thread.

"""
CURVES = """
The mean over the seeds after every epoch.  Where a curve still rises, the epochs were too few: of
what comes back a sigmoid hands on a quarter at most, so that two convolutions learn slowly with it.

![Test accuracy by epoch](training-curves.svg)

Every seed, their mean (a bar), and what all say when they vote (a cross):

![Accuracy of each recipe and seed](training-effects.svg)

"""
FLIP = """## With true convolution

The recipe `{recipe}`, trained as it is; with true convolutions, which flip their kernels, from
flipped kernels; and with true convolutions from the same kernels, which is another descent.
Kernels are compared after flipping them back: *kernels* is the largest difference, *predictions*
the number that differ, *wrong* the number that are.

{table}

"""
END = """Renewed by `python examples/digits/train.py --seeds 5 --write docs`; measured with
{versions}.
`tox -e train` trains the last recipe again, and fails below 98 % or beyond two minutes a seed.
"""


def wrong(predicted: Any, labels: Any) -> int:
    """How many predictions are not the labels."""
    return int((predicted != labels).sum())


def ends(course: Course, name: str) -> list[float]:
    """The accuracy of every seed after its last epoch."""
    return [1 - curve[-1] / course["held out"] for curve in course["recipes"][name]["wrong"]]


def mean_accuracy(course: Course, name: str) -> float:
    """The mean over the seeds."""
    return mean(ends(course, name))


def change(course: Course, before: str, after: str) -> tuple[float, float]:
    """The mean difference between two recipes, seed by seed, and its standard error."""
    pairs = zip(ends(course, before), ends(course, after), strict=True)
    differences = [b - a for a, b in pairs]
    return mean(differences), stdev(differences) / sqrt(len(differences))


def told(difference: float, error: float) -> str:
    """A change in percent."""
    return f"{100 * difference:+.2f} ± {100 * error:.2f}"


def rows(course: Course) -> Iterator[str]:
    """The table."""
    yield "| recipe | parameters | accuracy | from | to | change | voting | seconds |"
    yield "|---|---|---|---|---|---|---|---|"
    changes = {b: change(course, a, b) for a, b in pairwise(course["recipes"])}
    for name, row in course["recipes"].items():
        found = ends(course, name)
        moved = told(*changes[name]) if name in changes else ""
        voting = 1 - row["voting"] / course["held out"]
        shares = [f"{100 * x:.2f}" for x in (mean(found), min(found), max(found))]
        counts = [f"{row['parameters']:,}", *shares, moved, f"{100 * voting:.2f}"]
        yield f"| {name} | {' | '.join(counts)} | {max(row['seconds']):.0f} |"


def flips(rows: list[dict[str, Any]]) -> Iterator[str]:
    """The table of the experiment with true convolutions."""
    yield "| seed | trained | kernels | predictions | wrong |"
    yield "|---|---|---|---|---|"
    named = {"flipped": "true, from flipped kernels", "same": "true, from the same kernels"}
    for seed, row in enumerate(rows):
        yield f"| {seed} | as it is | | | {row['wrong']} |"
        for key, told in named.items():
            cells = f"{row[key]['kernels']:.3g} | {row[key]['predictions']} | {row[key]['wrong']}"
            yield f"| {seed} | {told} | {cells} |"


def page(course: Course) -> str:
    """The page: the tables, and where the curves are."""
    first = next(iter(course["recipes"].values()))["wrong"]
    head = HEAD.format(
        held_out=course["held out"],
        epochs=len(first[0]),
        seeds=len(first),
        image=100 / course["held out"],
    )
    table = "\n".join(rows(course)) + "\n"
    flip = FLIP.format(recipe=course["flip recipe"], table="\n".join(flips(course["flip"])))
    return head + table + CURVES + flip + END.format(versions=course["versions"])


def save(course: Course, folder: Path) -> None:
    """The record, the page and the curves."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scikit-learn"))
    course = {**course, "versions": f"{packages}, Python {platform.python_version()}"}
    record = folder / "training.json"
    write(record, json.dumps(course) + "\n")
    render(folder)


def render(folder: Path) -> None:
    """The page and the curves, of the record."""
    course = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    write(folder / "training.md", page(course))
    draw(course, folder)


def draw(course: Course, folder: Path) -> None:
    """The curves, and every seed's accuracy, as small SVG files."""
    import matplotlib as mpl

    mpl.use("Agg")
    # The same run gives the same file.
    mpl.rcParams.update({"svg.hashsalt": "training", "svg.fonttype": "none"})
    from matplotlib import pyplot

    names = [*course["recipes"]]
    figure, axes = pyplot.subplots(figsize=(8, 5))
    for number, name in enumerate(names):
        curves = zip(*course["recipes"][name]["wrong"], strict=True)
        means = [100 * (1 - mean(missed) / course["held out"]) for missed in curves]
        style = ("-", "--", ":")[number * 3 // len(names)]
        axes.plot(range(1, len(means) + 1), means, style, color=f"C{number % 4}", label=name)
    axes.set(xlabel="epoch", ylabel="test accuracy, %", ylim=(85, 100))
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.savefig(folder / "training-curves.svg", bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)
    figure, axes = pyplot.subplots(figsize=(8, 4))
    for place, name in enumerate(names):
        found = [100 * share for share in ends(course, name)]
        voting = 100 * (1 - course["recipes"][name]["voting"] / course["held out"])
        axes.plot(found, [place] * len(found), "o", color="C0", alpha=0.5)
        axes.plot([mean(found)], [place], "|", color="black", markersize=14)
        axes.plot([voting], [place], "x", color="C3")
    axes.set(xlabel="test accuracy, %", yticks=range(len(names)), yticklabels=names)
    axes.invert_yaxis()
    figure.savefig(folder / "training-effects.svg", bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)


if __name__ == "__main__":
    render(Path(sys.argv[1]))
