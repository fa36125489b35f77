"""The pytest plugin: `--implementation TARGET`, and the argument `implementation` of a test.

A test with an argument `implementation` runs once for each target named on the command line, by
default for the definitions and for `convspec.fast`.  So `pytest --pyargs convspec.properties
--implementation my.module` puts the laws to one's own functions, from any directory and with any
number of processes; tests without the argument are left as they are.

pytest imports this file in every environment that has convspec, so it imports almost nothing
before a test asks for an implementation.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from convspec.oracle.call import Callee

DEFAULTS = ("spec", "fast")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--implementation`."""
    parser.getgroup("convspec").addoption(
        "--implementation",
        action="append",
        metavar="TARGET",
        help="what the laws of convspec run on: a bundled name, package.module[:object] or "
        f"path/to/file.py[:object]; repeatable (default: {' and '.join(DEFAULTS)})",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Offer the argument `implementation`, with one parameter a target.

    A fixture made here rather than `pytest_generate_tests`: a project that has a fixture or a
    parameter of that name of its own keeps it.  Its scope is the session, because Hypothesis
    refuses to run many examples on one function-scoped fixture.
    """
    targets = config.getoption("implementation") or DEFAULTS

    @pytest.fixture(scope="session", params=targets, ids=str, name="implementation")
    def implementation(request: pytest.FixtureRequest) -> Implementation:
        """The implementation under test, loaded when the first test needs it."""
        from convspec.oracle.target import TargetError, load

        try:
            return Implementation(request.param, load(request.param))
        except TargetError as error:
            pytest.fail(f"--implementation {error}", pytrace=False)

    # pytest looks for fixtures in modules, and in classes but not in instances.
    laws = ModuleType("convspec_laws")
    vars(laws)["implementation"] = implementation
    config.pluginmanager.register(laws, laws.__name__)


class Implementation:
    """The functions of an implementation, called the way the oracle calls them.

    Operands become arrays and attributes normalised; an attribute at its default is left out
    where the signature lacks it.  What the implementation does not offer skips the test and says
    why; whatever it raises is raised.
    """

    def __init__(self, target: str, offered: Any) -> None:
        self._target = target
        self._offered = offered

    def __repr__(self) -> str:
        return f"Implementation({self._target!r})"

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        from convspec.case import forward_name
        from convspec.operations import OPERATIONS
        from convspec.oracle.call import callee

        if forward_name(operation) not in OPERATIONS:
            raise AttributeError(f"{operation} is no operation of convspec")
        target = callee(self._offered, operation)
        if target is None:
            pytest.skip(f"{self._target} offers no {operation}")
        return partial(self._call, operation, target)

    def _call(self, operation: str, target: Callee, *given: Any, **attributes: Any) -> Any:
        from numpy import asarray

        from convspec.case import forward_name, normalised
        from convspec.operations import OPERATIONS
        from convspec.oracle.call import Unsupported, arguments

        row = OPERATIONS[forward_name(operation)]
        names = row.operands if operation == row.name else ("cotangent", *row.operands)
        operands = {
            name: self._operand(operand, many=name in row.lists)
            for name, operand in zip(names, given, strict=False)
            if operand is not None
        }
        shapes = {
            name: _shape(operand) for name, operand in operands.items() if name in row.operands
        }
        complete = normalised(operation, shapes, attributes)
        call = arguments(target, operation, operands, complete)
        if isinstance(call, Unsupported):
            pytest.skip(f"{self._target}, {operation} with {complete}: {call.reason}")
        try:
            found = target.function(*call[0], **call[1])
        except NotImplementedError as error:
            pytest.skip(f"{self._target}, {operation} with {complete}: {error}")
        if operation == row.name and row.outputs == 1:
            return asarray(found)
        return tuple(map(asarray, found if isinstance(found, tuple | list) else (found,)))

    def _operand(self, operand: Any, *, many: bool) -> Any:
        """An operand as an array, or a list of arrays, of a dtype that is offered: the small
        integers of the laws are the same numbers in float32 as in float64.
        """
        from numpy import asarray

        if many:
            return [self._operand(each, many=False) for each in operand]
        array = asarray(operand)
        dtypes = getattr(self._offered, "dtypes", ("float32", "float64"))
        if array.dtype != "float64" or "float64" in dtypes:
            return array
        if "float32" not in dtypes:
            pytest.skip(f"{self._target} offers neither float32 nor float64, but {dtypes}")
        return array.astype("float32")


def _shape(operand: Any) -> Any:
    return list(map(_shape, operand)) if isinstance(operand, list) else operand.shape
