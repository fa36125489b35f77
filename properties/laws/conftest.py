"""The laws run in the order in which they are to be read."""

from __future__ import annotations

import pytest

from . import COURSE


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the laws, wherever they stand among other tests, in the order of the course."""
    chapter = {f"{__package__}.{name}": place for place, name in enumerate(COURSE)}

    def module(item: pytest.Item) -> str:
        return str(getattr(getattr(item, "module", None), "__name__", ""))

    places = [place for place, item in enumerate(items) if module(item) in chapter]
    in_order = sorted((items[place] for place in places), key=lambda item: chapter[module(item)])
    for place, item in zip(places, in_order, strict=True):
        items[place] = item
