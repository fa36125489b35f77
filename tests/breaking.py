"""Putting a law to an implementation and seeing whether it breaks."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from inspect import signature
from typing import Any

import pytest
from hypothesis import Phase, settings

from convspec.case import forward_name
from convspec.plugin import Implementation

# Whether a law breaks is the question, and not the smallest case in which it does.
QUICKLY = {"database": None, "derandomize": True, "phases": (Phase.explicit, Phase.generate)}


def law_function(law: str) -> Callable[..., None]:
    """The test function of a law, named as pytest names it: `test_file.py::test_name`."""
    file, name = law.split("::")
    module = import_module(f"convspec.properties.laws.{file.removesuffix('.py')}")
    function: Callable[..., None] = getattr(module, name)
    return function


def stated_of(function: Callable[..., None]) -> list[str]:
    """The operations that a law is stated of, by its parameter `operation`."""
    marks = [mark.args for mark in getattr(function, "pytestmark", ()) if mark.args]
    return [operation for name, values in marks if name == "operation" for operation in values]


def breaks(law: str, offered: Any, operation: str, examples: int = 300) -> bool:
    """Whether a law fails for an implementation; where the law is stated of several operations,
    for the given one.
    """
    function = law_function(law)
    if "implementation" not in signature(function).parameters:
        return False  # a law of the table or of the definitions, whoever implements them
    given: dict[str, Any] = {"implementation": Implementation("planted", offered)}
    if "operation" in signature(function).parameters:
        given["operation"] = forward_name(operation)
        if given["operation"] not in stated_of(function):
            return False
    stated = getattr(function, "_hypothesis_internal_use_settings", None)
    if stated is not None:
        quickly = settings(stated, max_examples=examples, **QUICKLY)
        function._hypothesis_internal_use_settings = quickly  # type: ignore[attr-defined]
    try:
        function(**given)
    except pytest.skip.Exception:
        return False
    except Exception:  # a deviation may break a law by raising, too
        return True
    finally:
        if stated is not None:
            function._hypothesis_internal_use_settings = stated  # type: ignore[attr-defined]
    return False
