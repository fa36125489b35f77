"""The course of the documents on scikit-learn's digits, on the fast twins alone.

    python examples/digits/train.py                                 every recipe, one seed each
    python examples/digits/train.py --recipe best --seeds 5 --at-least 98 --within 120
    python examples/digits/train.py --seeds 5 --write docs          training.json, .md and curves

A recipe changes one thing of the one before it; what it changes is the difference between two
lines.  `--at-least` and `--within` make it exit with 1 where the mean accuracy over the seeds is
lower, or a seed takes more seconds of the processor.  Needs `pip install 'convspec[train]'`.
The products are small: set OMP_NUM_THREADS and OPENBLAS_NUM_THREADS to 1.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from time import process_time
from typing import Any, NamedTuple

from flip import RECIPE, experiment
from page import Course, mean_accuracy, save, wrong
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from convspec.network import plan, totals
from convspec.network.digits import BEST, Recipe, digits, recipes
from convspec.network.training import Examples, predictions, shifted, train, vote


class Result(NamedTuple):
    """One network trained: how many of the images held out it has wrong after each epoch, its
    costs, what it says at the end, its seconds of the processor.
    """

    wrong: list[int]
    costs: list[float]
    predicted: Any
    seconds: float


def trained(
    recipe: Recipe, learn: Examples, hold: Examples, seed: int, progress: Progress
) -> Result:
    examples = shifted(learn) if recipe.shifts else learn
    task = progress.add_task(f"seed {seed}", total=recipe.settings.epochs)
    missed: list[int] = []

    def report(epoch: Any, parameters: Any) -> None:
        missed.append(wrong(predictions(recipe.network, parameters, hold.images), hold.labels))
        told = f"seed {seed}: cost {epoch.cost:.4f}, wrong {missed[-1]} of {len(hold.labels)}"
        progress.update(task, advance=1, description=told)

    begun = process_time()
    result = train(recipe.network, examples, recipe.settings, seed=seed, report=report)
    seconds = process_time() - begun
    progress.remove_task(task)
    predicted = predictions(recipe.network, result.parameters, hold.images)
    return Result(missed, [round(epoch.cost, 6) for epoch in result.epochs], predicted, seconds)


def measured(recipe: Recipe, results: list[Result], hold: Examples) -> dict[str, Any]:
    """What is recorded of a recipe."""
    voted = vote([result.predicted for result in results])
    return {
        "parameters": totals(plan(recipe.network)).parameters,
        "wrong": [result.wrong for result in results],
        "costs": [result.costs for result in results],
        "voting": wrong(voted, hold.labels),
        "seconds": [round(result.seconds, 1) for result in results],
    }


def shown(course: Course) -> Table:
    table = Table("recipe", "test accuracy", "from", "to", "voting", "seconds a seed")
    for name, row in course["recipes"].items():
        ends = [curve[-1] for curve in row["wrong"]]
        shares = [1 - missed / course["held out"] for missed in (max(ends), min(ends))]
        voting = 1 - row["voting"] / course["held out"]
        told = [f"{share:.2%}" for share in (mean_accuracy(course, name), *shares, voting)]
        table.add_row(name, *told, f"{max(row['seconds']):.0f}")
    return table


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--recipe", help="one recipe, or `best`")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--at-least", type=float, default=0, metavar="PERCENT")
    parser.add_argument("--within", type=float, default=float("inf"), metavar="SECONDS")
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="the record and its page")
    given = parser.parse_args()
    given.recipe = BEST if given.recipe == "best" else given.recipe
    if given.recipe is not None and given.recipe not in recipes():
        parser.error(f"--recipe {given.recipe!r}: must be best or one of {', '.join(recipes())}")
    if given.seeds < 1:
        parser.error(f"--seeds {given.seeds}: must be at least 1")
    if given.write and given.recipe:
        parser.error("--write: the page is about every recipe; leave out --recipe")
    return given


def main() -> int:
    given = arguments()
    learn, hold = digits()
    chosen = {n: r for n, r in recipes().items() if given.recipe in (None, n)}
    course: Course = {"held out": len(hold.labels), "recipes": {}}
    console = Console()
    with Progress(console=console) as progress:
        for name, recipe in chosen.items():
            results = [trained(recipe, learn, hold, s, progress) for s in range(given.seeds)]
            course["recipes"][name] = measured(recipe, results, hold)
    console.print(shown(course))
    if given.write:
        save({**course, "flip recipe": RECIPE, "flip": experiment(given.seeds)}, given.write)
    last = course["recipes"][next(reversed(chosen))]
    low = 100 * mean_accuracy(course, next(reversed(chosen))) < given.at_least
    return int(low or max(last["seconds"]) > given.within)


if __name__ == "__main__":
    sys.exit(main())
