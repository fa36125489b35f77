"""The digits and the recipes: the split, and that every recipe runs."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy
import pytest

from convspec.network import plan
from convspec.network.digits import BEST, CLASSES, SIZE, digits, recipes
from convspec.network.training import Examples, train


def test_every_recipe_adds_something_to_the_one_before_it():
    found = list(recipes().items())
    assert found[-1][0] == BEST
    for (_, before), (name, after) in pairwise(found):
        assert before != after, name


@pytest.mark.parametrize("name", recipes())
def test_every_recipe_takes_a_step(name):
    recipe = recipes()[name]
    assert plan(recipe.network)[-1].shape == (1, CLASSES)
    generator = numpy.random.default_rng(0)
    examples = Examples(generator.random((4, *SIZE), dtype="float32"), numpy.array([0, 3, 9, 1]))
    settings = recipe.settings._replace(epochs=1)
    learned = train(recipe.network, examples, settings, seed=0)
    assert all(numpy.isfinite(value).all() for value in learned.parameters.values())


def test_a_fixed_stratified_third_is_held_out():
    pytest.importorskip("sklearn", reason="the digits are scikit-learn's")
    (learn, hold), (_, again) = digits(), digits()
    assert len(learn.images) == 1198
    assert len(hold.images) == 599
    assert (hold.images == again.images).all()
    assert hold.images.shape[1:] == SIZE
    assert hold.images.dtype == numpy.float32
    assert hold.images.min() == 0
    assert hold.images.max() == 1
    # Stratified: every class is held out in its share, give or take an image.
    whole = numpy.bincount(numpy.concatenate([learn.labels, hold.labels]))
    assert (abs(numpy.bincount(hold.labels) - whole / 3) < 1).all()
    # Nothing is in both.
    seen = {image.tobytes() for image in learn.images}
    assert sum(image.tobytes() in seen for image in hold.images) == 0


def test_a_missing_scikit_learn_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=r"scikit-learn: pip install 'convspec\[train\]'"):
        digits()


SCRIPTS = Path(__file__).parents[2] / "examples" / "digits"
# The products are small: more threads wait for each other.
ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def ran(*command):
    return subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        env=ONE_THREAD,
    )


@pytest.mark.slow
def test_the_script_trains_and_fails_below_or_beyond_what_is_asked():
    """One dense layer gets most digits right, and not all; a seed takes a few seconds."""
    pytest.importorskip("sklearn", reason="the extra train is not installed")
    if not SCRIPTS.exists():
        pytest.skip("examples are not installed")
    command = [SCRIPTS / "train.py", "--recipe", "dense layer", "--seeds", "2"]
    run = ran(*command, "--at-least", "80", "--within", "120")
    assert run.returncode == 0, run.stderr
    assert "dense layer" in run.stdout
    assert ran(*command, "--at-least", "100").returncode == 1
    assert ran(*command, "--within", "0.01").returncode == 1
    refused = ran(*command, "--recipe", "none")
    assert refused.returncode == 2
    assert "must be best or one of dense layer" in refused.stderr


@pytest.mark.slow
def test_the_pictures_are_drawn_and_not_empty(tmp_path):
    for needed in ("sklearn", "matplotlib"):
        pytest.importorskip(needed, reason="the extra train is not installed")
    if not SCRIPTS.exists():
        pytest.skip("examples are not installed")
    from matplotlib.image import imread

    run = ran(SCRIPTS / "pictures.py", tmp_path)
    assert run.returncode == 0, run.stderr
    for name in ("edges", "kernels", "maps", "photograph", "exciting"):
        picture = imread(tmp_path / f"{name}.png")
        assert min(picture.shape[:2]) > 100
        assert picture[..., :3].std() > 0.1
