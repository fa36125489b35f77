"""The course of the documents on scikit-learn's digits, on the fast twins alone.

    python examples/digits/train.py                    every recipe, one seed each
    python examples/digits/train.py --recipe best --seeds 5 --vote
    python examples/digits/train.py --curves curves.png

A recipe adds one technique to the one before it; what it changes is the difference between two
lines.  With `--at-least 98` it exits with 1 where the mean accuracy over the seeds is lower.  Needs
`pip install 'convspec[train]'`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from convspec.network.digits import BEST, Recipe, digits, recipes
from convspec.network.training import Examples, accuracy, predictions, shifted, train, vote


class Result(NamedTuple):
    """One network trained: what it says of the held out images, its curve, its seconds."""

    predicted: Any
    curve: list[float]
    seconds: float


def trained(
    recipe: Recipe, learn: Examples, hold: Examples, seed: int, progress: Progress
) -> Result:
    examples = shifted(learn) if recipe.shifts else learn
    task = progress.add_task(f"seed {seed}", total=recipe.settings.epochs)
    curve: list[float] = []

    def report(epoch: Any, parameters: Any) -> None:
        predicted = predictions(recipe.network, parameters, hold.images)
        curve.append(accuracy(predicted, hold.labels))
        told = f"seed {seed}: cost {epoch.cost:.4f}, test accuracy {curve[-1]:.2%}"
        progress.update(task, advance=1, description=told)

    begun = perf_counter()
    result = train(recipe.network, examples, recipe.settings, seed=seed, report=report)
    seconds = perf_counter() - begun
    progress.remove_task(task)
    return Result(predictions(recipe.network, result.parameters, hold.images), curve, seconds)


def draw(curves: dict[str, list[Result]], path: Path) -> None:
    """Test accuracy by epoch, the mean over the seeds."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 5))
    for name, results in curves.items():
        mean = numpy.mean([result.curve for result in results], axis=0)
        axes.plot(range(1, len(mean) + 1), 100 * mean, label=name)
    axes.set(xlabel="epoch", ylabel="test accuracy, %", ylim=(90, 100))
    axes.legend()
    figure.savefig(path, dpi=120, bbox_inches="tight")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--recipe", help="one recipe, or `best`")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--vote", action="store_true", help="let the networks of all seeds vote")
    parser.add_argument("--at-least", type=float, default=0, metavar="PERCENT")
    parser.add_argument("--curves", type=Path, metavar="FILE", help="plot the curves")
    given = parser.parse_args()
    known = recipes()
    name = BEST if given.recipe == "best" else given.recipe
    if name is not None and name not in known:
        parser.error(f"--recipe {name!r}: must be best or one of {', '.join(known)}")
    learn, hold = digits()
    table = Table("recipe", "test accuracy", "from", "to", "seconds a seed")
    curves: dict[str, list[Result]] = {}
    low = False
    console = Console()
    with Progress(console=console) as progress:
        for recipe in [name] if name else known:
            results = [trained(known[recipe], learn, hold, s, progress) for s in range(given.seeds)]
            curves[recipe] = results
            found = [accuracy(result.predicted, hold.labels) for result in results]
            low = low or 100 * numpy.mean(found) < given.at_least
            seconds = numpy.mean([result.seconds for result in results])
            shares = [f"{share:.2%}" for share in (numpy.mean(found), min(found), max(found))]
            table.add_row(recipe, *shares, f"{seconds:.0f}")
            if given.vote:
                voted = accuracy(vote([result.predicted for result in results]), hold.labels)
                table.add_row(f"{recipe}, {given.seeds} voting", f"{voted:.2%}")
    console.print(table)
    if given.curves:
        draw(curves, given.curves)
    return int(low)


if __name__ == "__main__":
    sys.exit(main())
