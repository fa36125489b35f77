"""Training with true convolution learns the flipped kernels and the same function.

    python examples/digits/flip.py

The same network is trained on the digits three times from the same seed: as it is; with true
convolutions, from flipped kernels; and with true convolutions from the kernels as they are, which
is another descent.  Needs `pip install 'convspec[train]'`.
"""

from __future__ import annotations

import json
from typing import Any

import numpy
from page import wrong

from convspec import fast
from convspec.network import initial
from convspec.network.digits import digits, recipes
from convspec.network.training import predictions, train
from convspec.network.true_convolution import flipped, true_convolution

RECIPE = "+ momentum"


def turned(parameters: Any) -> Any:
    """The parameters with every kernel of a convolution flipped."""
    return {n: flipped(value) if value.ndim == 4 else value for n, value in parameters.items()}


def experiment(seeds: int) -> list[dict[str, Any]]:
    """For each seed the largest difference between the kernels that the first network learns and
    the flips of what each of the two others learns, and how often the predictions differ.
    """
    recipe, (learn, hold) = recipes()[RECIPE], digits()
    found = []
    for seed in range(seeds):
        start = initial(recipe.network, numpy.random.default_rng(seed))

        def learned(start: Any, operations: Any, seed: int = seed) -> tuple[Any, Any]:
            parameters = train(
                recipe.network,
                learn,
                recipe.settings,
                seed=seed,
                start=start,
                operations=operations,
            ).parameters
            said = predictions(recipe.network, parameters, hold.images, operations=operations)
            return parameters, said

        ours, ours_said = learned(start, fast)
        row: dict[str, Any] = {"wrong": wrong(ours_said, hold.labels)}
        for name, begin in (("flipped", turned(start)), ("same", start)):
            theirs, theirs_said = learned(begin, true_convolution(fast))
            back = turned(theirs)
            row[name] = {
                "kernels": max(float(abs(ours[n] - back[n]).max()) for n in ours),
                "predictions": wrong(theirs_said, ours_said),
                "wrong": wrong(theirs_said, hold.labels),
            }
        found.append(row)
    return found


if __name__ == "__main__":
    print(json.dumps(experiment(1), indent=1))
