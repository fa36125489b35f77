"""Pictures of what convolutions see, on the fast twins alone.

    python examples/digits/pictures.py pictures

writes into that folder: edges of a photograph that ships with scikit-learn, by the documents' Sobel
kernels; the kernels that a network learns from the digits; what its maps make of one digit and of
the photograph; and for filters of its second convolution an input optimised to excite each.
Needs `pip install 'convspec[train]'` and Pillow, which Matplotlib brings along.  The products are
small: set OMP_NUM_THREADS and OPENBLAS_NUM_THREADS to 1.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy
from sklearn.datasets import load_sample_image

from convspec import fast
from convspec.network import activations
from convspec.network.digits import digits, recipes
from convspec.network.excitation import excite, until
from convspec.network.training import accuracy, predictions, shifted, train

mpl.use("Agg")
from matplotlib import pyplot

SOBEL = numpy.array(
    [[[[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]], [[[1, 2, 1], [0, 0, 0], [-1, -2, -1]]]]
)


def photograph() -> Any:
    """The grey values of every second pixel, from 0 to 1."""
    return load_sample_image("china.jpg")[::2, ::2].mean(axis=2)[None, None] / 255


def sheet(images: list[Any], titles: list[str], path: Path, columns: int, *, signed: bool) -> None:
    """Images in a grid; signed ones with 0 in the middle of their colours, blue above it."""
    rows = -(-len(images) // columns)
    height = 0.3 + 2.2 * max(image.shape[0] / image.shape[1] for image in images)
    size = (2.2 * columns, height * rows)
    figure, grid = pyplot.subplots(rows, columns, figsize=size, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for axes, image, title in zip(grid.flat, images, titles, strict=False):
        most = abs(image).max() or 1
        colours = {"cmap": "RdBu", "vmin": -most, "vmax": most} if signed else {"cmap": "gray"}
        axes.imshow(image, **colours)
        axes.set_title(title, fontsize=8)
    figure.savefig(path, dpi=100, bbox_inches="tight")
    pyplot.close(figure)


def edges(folder: Path) -> None:
    photo = photograph()
    horizontal, vertical = fast.conv(photo, SOBEL.astype(float))[0]
    images = [photo[0, 0], horizontal, vertical, numpy.hypot(horizontal, vertical)]
    titles = ["photograph", "change to the right", "change upwards", "length of both"]
    sheet(images, titles, folder / "edges.png", 4, signed=False)


def learned(folder: Path) -> None:
    recipe = recipes()["+ shifts"]
    learn, hold = digits()
    network = recipe.network
    parameters = train(network, shifted(learn), recipe.settings, seed=0).parameters
    right = accuracy(predictions(network, parameters, hold.images), hold.labels)
    print(f"{right:.2%} of the digits held out are classified rightly")
    kernels = [*parameters["conv1.weight"][:, 0]]
    numbers = [str(number) for number in range(len(kernels))]
    sheet(kernels, numbers, folder / "kernels.png", 4, signed=True)
    maps = activations(network, parameters, hold.images[:1])["conv1"][0]
    images = [hold.images[0, 0], *maps]
    sheet(images, ["digit", *numbers], folder / "maps.png", 3, signed=True)
    # Less the mean of the photograph: a kernel whose weights do not sum to 0 sees light alone.
    photo = photograph()
    weight = parameters["conv1.weight"].astype(float)
    answers = fast.conv(photo - photo.mean(), weight)[0]
    sheet([*answers], numbers, folder / "photograph.png", 4, signed=True)
    second = until(network, "conv2")
    count = 16
    exciting = [excite(second, parameters, channel)[0, 0] for channel in range(count)]
    titles = [str(number) for number in range(count)]
    sheet(exciting, titles, folder / "exciting.png", 8, signed=False)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    edges(folder)
    learned(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
